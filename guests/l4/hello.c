/* Says hello with its arguments; its status is their count. */
#include "l4.h"

int main(int count, char **arguments) {
    print("hello from the micro-kernel");
    for (int i = 1; i < count; i++) {
        print(" ");
        print(arguments[i]);
    }
    print("\n");
    return count - 1;
}
