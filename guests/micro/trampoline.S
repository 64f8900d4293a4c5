/*
 * Where a core begins after SIPI: real mode, copied to TRAMPOLINE below 1 MiB by smp.c. Goes straight to
 * long mode with the first core's page tables, then to smp_arrived() on a stack of its own.
 */
#define TRAMPOLINE 0x8000
#define STACK      0x4000
#define MAX_CPUS   64
#define AT(label)  (TRAMPOLINE + label - trampoline)
#define EFER       0xc0000080
#define EFER_LME   0x100
#define CR0_START  0x80010031   /* PG, WP, NE, ET, PE */
#define CR4_PAE    0x20

        .section .rodata
        .code16
        .globl  trampoline, trampoline_end
trampoline:
        cli
        cld
        xor     %ax, %ax
        mov     %ax, %ds
        lgdtl   AT(table)
        mov     $CR4_PAE, %eax
        mov     %eax, %cr4
        mov     $pml4, %eax
        mov     %eax, %cr3
        mov     $EFER, %ecx
        rdmsr
        or      $EFER_LME, %eax
        wrmsr
        mov     $CR0_START, %eax
        mov     %eax, %cr0
        ljmpl   $0x08, $entered
        .balign 4
table:  .word   0x3f
        .long   gdt
trampoline_end:

        .text
        .code64
entered:
        mov     $0x10, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        xor     %eax, %eax
        mov     %eax, %fs
        mov     %eax, %gs
        mov     $1, %eax
        cpuid
        shr     $24, %ebx       /* the APIC's id as it was at reset */
        cmp     $MAX_CPUS, %ebx
        jae     2f
        mov     %ebx, %edi
        lea     1(%rbx), %eax
        imul    $STACK, %rax, %rax
        lea     smp_stacks(%rax), %rsp
        call    smp_arrived
2:      cli
        hlt
        jmp     2b
