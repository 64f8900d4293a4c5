/* The multiboot 1 header: modules on page boundaries, memory information wanted. */
#define MAGIC 0x1badb002
#define FLAGS 0x00000003

        .section .multiboot, "a"
        .balign 4
        .long MAGIC, FLAGS, -(MAGIC + FLAGS)
