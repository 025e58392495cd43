/* Passes over bfloat16 rows that a model makes between its matrix products, each read once and written once.
 *
 * Sums and products are float32 and are rounded where the model's own modules round. `kernels.py` compiles and
 * calls these, and holds the same arithmetic in torch for machines without a compiler. No function allocates.
 */
#include "bf16.h"

/* total = x + change (or x itself), normed = weight * total / rms(total); inverse takes 1 / rms of each row. */
void add_norm(const bf16 *x, const bf16 *change, const bf16 *weight, bf16 *total, bf16 *normed, float *inverse,
              int64_t rows, int64_t width, float epsilon) {
#pragma omp parallel for schedule(static) if (rows * width > 16384)
    for (int64_t row = 0; row < rows; row++) {
        const bf16 *from = x + row * width;
        bf16 *to = normed + row * width;
        float squares = 0.0f;
        if (change) {
            const bf16 *more = change + row * width;
            bf16 *sum = total + row * width;
            for (int64_t i = 0; i < width; i++) {
                bf16 both = down(up(from[i]) + up(more[i]));
                sum[i] = both;
                squares += up(both) * up(both);
            }
            from = sum;
        } else {
            for (int64_t i = 0; i < width; i++) squares += up(from[i]) * up(from[i]);
        }
        float scale = 1.0f / sqrtf(squares / (float)width + epsilon);
        inverse[row] = scale;
        for (int64_t i = 0; i < width; i++) to[i] = down(up(weight[i]) * rounded(up(from[i]) * scale));
    }
}

/* The gradient of total from that of normed, plus the one that reached total by itself (may be absent). */
void add_norm_backward(const bf16 *of_normed, const bf16 *of_total, const bf16 *total, const bf16 *weight,
                       const float *inverse, bf16 *result, int64_t rows, int64_t width) {
#pragma omp parallel for schedule(static) if (rows * width > 16384)
    for (int64_t row = 0; row < rows; row++) {
        const bf16 *g = of_normed + row * width, *x = total + row * width;
        bf16 *to = result + row * width;
        float scale = inverse[row], along = 0.0f;
        for (int64_t i = 0; i < width; i++) along += up(g[i]) * up(weight[i]) * up(x[i]);
        along *= scale * scale / (float)width;
        if (of_total) {
            const bf16 *own = of_total + row * width;
            for (int64_t i = 0; i < width; i++)
                to[i] = down(up(own[i]) + scale * (up(g[i]) * up(weight[i]) - up(x[i]) * along));
        } else {
            for (int64_t i = 0; i < width; i++)
                to[i] = down(scale * (up(g[i]) * up(weight[i]) - up(x[i]) * along));
        }
    }
}

/* A head of `size` at every place from `from` goes to `to`, rotated by the row's angle (back, for sign -1). */
static inline void turn(const bf16 *restrict from, bf16 *restrict to, const bf16 *c, const bf16 *s, int64_t heads,
                        int64_t size, float sign) {
    int64_t half = size / 2;
    for (int64_t head = 0; head < heads; head++, from += size, to += size) {
        for (int64_t i = 0; i < half; i++) {
            float first = up(from[i]), second = up(from[i + half]);
            to[i] = down(first * up(c[i]) - sign * second * up(s[i]));
            to[i + half] = down(second * up(c[i + half]) + sign * first * up(s[i + half]));
        }
    }
}

static inline void copy(const bf16 *restrict from, bf16 *restrict to, int64_t count) {
    for (int64_t i = 0; i < count; i++) to[i] = from[i];
}

/* Queries and keys rotated, values as they are, side by side in one row of all heads. */
void rotate(const bf16 *q, const bf16 *k, const bf16 *v, const bf16 *cosine, const bf16 *sine, bf16 *joined,
            int64_t rows, int64_t heads, int64_t kv_heads, int64_t size) {
    int64_t own = heads * size, shared = kv_heads * size;
#pragma omp parallel for schedule(static) if (rows * own > 16384)
    for (int64_t row = 0; row < rows; row++) {
        const bf16 *c = cosine + row * size, *s = sine + row * size;
        bf16 *to = joined + row * (own + 2 * shared);
        turn(q + row * own, to, c, s, heads, size, 1.0f);
        turn(k + row * shared, to + own, c, s, kv_heads, size, 1.0f);
        copy(v + row * shared, to + own + shared, shared);
    }
}

void rotate_backward(const bf16 *joined, const bf16 *cosine, const bf16 *sine, bf16 *q, bf16 *k, bf16 *v,
                     int64_t rows, int64_t heads, int64_t kv_heads, int64_t size) {
    int64_t own = heads * size, shared = kv_heads * size;
#pragma omp parallel for schedule(static) if (rows * own > 16384)
    for (int64_t row = 0; row < rows; row++) {
        const bf16 *c = cosine + row * size, *s = sine + row * size;
        const bf16 *from = joined + row * (own + 2 * shared);
        turn(from, q + row * own, c, s, heads, size, -1.0f);
        turn(from + own, k + row * shared, c, s, kv_heads, size, -1.0f);
        copy(from + own + shared, v + row * shared, shared);
    }
}

/* result = silu(gate) * other */
void gated(const bf16 *restrict gate, const bf16 *restrict other, bf16 *restrict result, int64_t count) {
#pragma omp parallel for simd schedule(static) if (count > 16384)
    for (int64_t i = 0; i < count; i++) {
        float x = up(gate[i]);
        result[i] = down(rounded(x / (1.0f + exponential(-x))) * up(other[i]));
    }
}

void gated_backward(const bf16 *restrict gradient, const bf16 *restrict gate, const bf16 *restrict other,
                    bf16 *restrict of_gate, bf16 *restrict of_other, int64_t count) {
#pragma omp parallel for simd schedule(static) if (count > 16384)
    for (int64_t i = 0; i < count; i++) {
        float x = up(gate[i]), g = up(gradient[i]), sigmoid = 1.0f / (1.0f + exponential(-x));
        of_gate[i] = down(g * up(other[i]) * sigmoid * (1.0f + x * (1.0f - sigmoid)));
        of_other[i] = down(g * rounded(x * sigmoid));
    }
}

/* Softmax's gradient over attention scores (heads, rows, columns): row i sees the first columns - rows + i + 1.
 * `sums` are the log of each row's sum of exponentials, `along` the product of the output and its gradient. */
void attention_backward(const float *scores, const float *of_weights, const float *sums, const float *along,
                        bf16 *weights, bf16 *of_scores, int64_t heads, int64_t rows, int64_t columns,
                        float scale) {
#pragma omp parallel for schedule(static) if (heads * rows * columns > 16384)
    for (int64_t row = 0; row < heads * rows; row++) {
        const float *s = scores + row * columns, *g = of_weights + row * columns;
        bf16 *w = weights + row * columns, *to = of_scores + row * columns;
        int64_t seen = columns - rows + row % rows + 1;
        float sum = sums[row], mean = along[row];
        for (int64_t i = 0; i < seen; i++) {
            float weight = exponential(scale * s[i] - sum);
            w[i] = down(weight);
            to[i] = down(scale * weight * (g[i] - mean));
        }
        for (int64_t i = seen; i < columns; i++) w[i] = to[i] = 0;
    }
}

/* The log of each row's sum of exponentials. */
void log_sums(const bf16 *logits, float *sums, int64_t rows, int64_t width) {
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const bf16 *from = logits + row * width;
        float most = -INFINITY, sum = 0.0f;
        for (int64_t i = 0; i < width; i++) most = up(from[i]) > most ? up(from[i]) : most;
        for (int64_t i = 0; i < width; i++) sum += exponential(up(from[i]) - most);
        sums[row] = most + logf(sum);
    }
}

/* -total × softmax, what every logit gets from log-probabilities whose gradients sum to `totals`. */
void log_sums_backward(const bf16 *logits, const float *sums, const float *totals, bf16 *result, int64_t rows,
                       int64_t width) {
#pragma omp parallel for schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const bf16 *from = logits + row * width;
        bf16 *to = result + row * width;
        for (int64_t i = 0; i < width; i++) to[i] = down(-totals[row] * exponential(up(from[i]) - sums[row]));
    }
}
