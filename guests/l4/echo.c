/* Says what it hears, in lines, until one reads "quit". */
#include "l4.h"

int main(int count, char **arguments) {
    (void)count;
    (void)arguments;
    char line[256];
    u64 length = 0;
    print("ready\n");
    for (;;) {
        char letter;
        if (l4_read(&letter, 1) != 1) {
            return 1;
        }
        if (letter == '\r') {
            letter = '\n';
        }
        if (letter != '\n' && length < sizeof line - 2) {
            line[length++] = letter;
            continue;
        }
        line[length] = 0;
        if (same_text(line, "quit")) {
            return 0;
        }
        line[length++] = '\n';
        l4_write(line, length);
        length = 0;
    }
}
