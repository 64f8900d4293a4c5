# How guests on bare machines are compiled and linked; what is missing on this machine.
CC      := gcc
CFLAGS  := -std=gnu11 -O2 -g0 -Wall -Wextra -Werror -ffreestanding -fno-builtin -nostdlib -fno-pic \
           -fno-pie -fno-stack-protector -fno-asynchronous-unwind-tables -fno-strict-aliasing \
           -fcf-protection=none -mgeneral-regs-only -mno-red-zone -fno-tree-loop-distribute-patterns \
           -Wno-array-bounds
LDFLAGS := -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=none

ifneq ($(MAKECMDGOALS),clean)
ifeq ($(shell command -v $(CC) 2> /dev/null),)
$(error no $(CC) on this machine: install gcc and binutils to build the micro guests)
endif
ifeq ($(shell uname -m),x86_64)
else
$(error the micro guests need an x86-64 gcc and binutils; this machine is $(shell uname -m))
endif
# Without this option (binutils before 2.39) there is no such warning.
LDFLAGS += $(shell ld --help | grep -q no-warn-rwx-segments && echo --no-warn-rwx-segments)
endif
