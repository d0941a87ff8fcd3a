"""What V8 takes for its heap where no option says otherwise, by the memory that its embedder found.

V8's Heap::MaxOldGenerationSizeFromPhysicalMemory and YoungGenerationSizeFromOldGenerationSize on 64
bits: half of the memory for the old generation, 256 MiB at least and 2 GiB at most, 4 GiB from 14.5
GiB of memory on; a semi-space has a 128th of that (a 256th of a small one), a power of two. node
takes its container's memory for it, Deno the host's. Node 20 and Deno 2.9 say the same of themselves.
"""

MIB = 1 << 20
_LEAST_BYTES, _LARGEST_BYTES = 256 * MIB, 2048 * MIB
_HUGE_FROM_BYTES, _HUGE_BYTES = 14848 * MIB, 4096 * MIB
_A_SEMI_SPACE, _A_SMALL_SEMI_SPACE = 128, 256
_LARGEST_SEMI_SPACE_BYTES = 16 * MIB


def old_space_bytes(memory_bytes: int) -> int:
    """Return the cap of the old generation."""
    most = _HUGE_BYTES if memory_bytes >= _HUGE_FROM_BYTES else _LARGEST_BYTES
    return min(max(memory_bytes // 2, _LEAST_BYTES), most)


def semi_space_bytes(memory_bytes: int) -> int:
    """Return how large one of the semi-spaces of the young generation may grow.

    That follows from the memory, also where an option sets the cap of the old generation. Of Deno's V8
    it is twice the largest one here; the smaller one errs on the safe side.
    """
    old = old_space_bytes(memory_bytes)
    share = old // (_A_SMALL_SEMI_SPACE if old <= _LEAST_BYTES else _A_SEMI_SPACE)
    return min(1 << (share - 1).bit_length(), _LARGEST_SEMI_SPACE_BYTES)
