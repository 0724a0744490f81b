/* Little-endian numbers in bytes read from a disk: alignment and the machine's own order do not matter. */
#ifndef HEARTH_BASE_BYTES_H
#define HEARTH_BASE_BYTES_H

#include <stdint.h>

static inline uint32_t bytes_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t bytes_le64(const uint8_t *p)
{
	return bytes_le32(p) | (uint64_t)bytes_le32(p + 4) << 32;
}

#endif
