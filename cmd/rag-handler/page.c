#include "cmd/rag-handler/page.h"

/* The assembler takes a file in, and ends it like a string. */
#define TAKE_IN(symbol, file)                    \
    __asm__(".pushsection .rodata\n"             \
            ".globl " #symbol "\n" #symbol ":\n" \
            ".incbin \"templates/" file "\"\n"   \
            ".byte 0\n"                          \
            ".popsection\n")

TAKE_IN(page_html, "page.html");
TAKE_IN(page_openapi, "openapi.json");
