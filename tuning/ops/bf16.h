/* Numbers in bfloat16 as float32 and back, and an exponential that compilers vectorise. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

typedef uint16_t bf16;

static inline float up(bf16 value) {
    union { uint32_t bits; float number; } both = { .bits = (uint32_t)value << 16 };
    return both.number;
}

static inline bf16 down(float value) { /* to the nearest, ties to even */
    union { float number; uint32_t bits; } both = { .number = value };
    return (bf16)((both.bits + 0x7fff + ((both.bits >> 16) & 1)) >> 16);
}

static inline float rounded(float value) { return up(down(value)); }

/* e^x to a few units in the last place of a float, in a form that compilers vectorise. */
static inline float exponential(float x) {
    x = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
    float whole = rintf(x * 1.44269504f);
    float rest = x - whole * 0.693359375f + whole * 2.12194440e-4f;
    float power = 1.9875691500e-4f;
    power = power * rest + 1.3981999507e-3f;
    power = power * rest + 8.3334519073e-3f;
    power = power * rest + 4.1665795894e-2f;
    power = power * rest + 1.6666665459e-1f;
    power = power * rest + 5.0000001201e-1f;
    power = power * rest * rest + rest + 1.0f;
    union { uint32_t bits; float number; } scale = { .bits = (uint32_t)((int32_t)whole + 127) << 23 };
    return power * scale.number;
}
