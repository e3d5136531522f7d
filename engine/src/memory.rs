// SPDX-License-Identifier: Apache-2.0
//! Allocates Rust's memory: large blocks are separate mappings. A growing block, such as a guest's table, then grows by
//! moving pages. The C library keeps blocks of up to 32 MiB in its heap and copies them, which takes milliseconds that
//! nothing can interrupt.
use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::null_mut;

/// Copying less than this takes a negligible time.
const LARGE: usize = 1 << 20;
const PAGE: usize = 4096;

struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn is_large(size: usize, align: usize) -> bool {
    size >= LARGE && align <= PAGE
}

/// There is no memory for a mapping. Ask the C library for more than it can ever give: in the compiler's process, which
/// wraps malloc, that ends the process and reports that its memory is used up. Elsewhere it has no effect.
unsafe fn refused() -> *mut u8 {
    // The optimiser must not remove this. It knows that the memory is freed at once.
    libc::free(std::hint::black_box(libc::malloc(std::hint::black_box(isize::MAX as usize))));
    null_mut()
}

unsafe fn map(size: usize) -> *mut u8 {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let start = libc::mmap(null_mut(), size, access, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0);
    if start == libc::MAP_FAILED {
        return refused();
    }
    start.cast()
}

unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_large(layout.size(), layout.align()) {
            return map(layout.size());
        }
        System.alloc(layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_large(layout.size(), layout.align()) {
            return map(layout.size());
        }
        System.alloc_zeroed(layout)
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        if is_large(layout.size(), layout.align()) {
            libc::munmap(at.cast(), layout.size());
        } else {
            System.dealloc(at, layout);
        }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let old_size = layout.size();
        match (is_large(old_size, layout.align()), is_large(size, layout.align())) {
            (false, false) => System.realloc(at, layout, size),
            (true, true) => {
                let moved = libc::mremap(at.cast(), old_size, size, libc::MREMAP_MAYMOVE);
                if moved == libc::MAP_FAILED {
                    return refused();
                }
                moved.cast()
            }
            _ => {
                let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
                if !moved.is_null() {
                    std::ptr::copy_nonoverlapping(at, moved, old_size.min(size));
                    self.dealloc(at, layout);
                }
                moved
            }
        }
    }
}
