/* SPDX-License-Identifier: Apache-2.0 */
/* What the build made, as read-only data. The names of the files are given by the build. */
	.section .rodata
	.balign 4096
	.globl curfew__embedded_image_start
curfew__embedded_image_start:
	.incbin IMAGE
	.balign 64
	.globl curfew__embedded_wasm
	.globl curfew__embedded_wasm_end
curfew__embedded_wasm:
	.incbin WASM
curfew__embedded_wasm_end:
	.balign 4096
	.globl curfew__embedded_plain
	.globl curfew__embedded_plain_end
curfew__embedded_plain:
	.incbin PLAIN
curfew__embedded_plain_end:
	.balign 4096
	.globl curfew__embedded_metered
	.globl curfew__embedded_metered_end
curfew__embedded_metered:
	.incbin METERED
curfew__embedded_metered_end:
	.balign 4096
	.globl curfew__embedded_assets
curfew__embedded_assets:
	.incbin ASSETS
	.section .note.GNU-stack, "", @progbits
