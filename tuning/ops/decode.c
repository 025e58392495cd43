/* One token through a decoder like Llama's, behind a cache of keys and values. All threads stay inside from the first
 * layer to the last: what they share is complete after each loop. Everything is rounded to bfloat16 where the model's
 * own modules round. `one_row.py` calls this and says what lies where. No function allocates.
 */
#include "bf16.h"

enum { WIDEST_HEAD = 256, MOST_RANK = 512, TOGETHER = 4 };

/* A matrix (outputs, inputs), its bias, and a low-rank change: b (outputs, rank) times a (rank, inputs). */
typedef struct {
    const bf16 *weight, *bias, *a, *b;
    int64_t rank;
} Matrix;

typedef struct {
    Matrix q, k, v, o, gate, up, down;
    const bf16 *input_norm, *post_norm, *q_norm, *k_norm; /* the last two may be absent */
    bf16 *keys, *values;                                  /* (key/value heads, capacity, size) */
} Layer;

typedef struct {
    int64_t layers, hidden, inner, heads, kv_heads, size, vocabulary, known, capacity;
    float epsilon, scale;
} Shape;

typedef float Floats __attribute__((vector_size(64)));
typedef uint32_t Words __attribute__((vector_size(64)));
enum { LANES = 16 };

static inline float one_dot(const float *x, const bf16 *weights, int64_t count) {
    float sum = 0.0f;
    for (int64_t i = 0; i < count; i++) sum += x[i] * up(weights[i]);
    return sum;
}

/* Numbers at even places, then those at odd ones: so two weights that lie in one word meet theirs in two vectors. */
static inline void halve(const float *restrict x, float *restrict to, int64_t count) {
    for (int64_t i = 0; i < count / 2; i++) to[i] = x[2 * i], to[count / 2 + i] = x[2 * i + 1];
}

static inline float halved_dot(const float *x, const bf16 *w, int64_t start, int64_t count) {
    float sum = 0.0f;
    for (int64_t i = start / 2; i < count / 2; i++) sum += x[i] * up(w[2 * i]) + x[count / 2 + i] * up(w[2 * i + 1]);
    return sum;
}

static inline Words words(const bf16 *from) {
    Words loaded;
    __builtin_memcpy(&loaded, from, sizeof loaded);
    return loaded;
}

static inline float total_of(Floats lanes) {
    float sum = 0.0f;
    for (int i = 0; i < LANES; i++) sum += lanes[i];
    return sum;
}

/* TOGETHER neighbouring outputs of halved x at once: their sums do not wait for one another. The weights after the
 * next ones are asked for before they are needed (past the end of a matrix, that does nothing). */
static inline void dots(const float *restrict x, const bf16 *restrict w, int64_t count, float *restrict to) {
    const char *later = (const char *)(w + 2 * TOGETHER * count);
    for (int64_t i = 0; i < TOGETHER * count * (int64_t)sizeof(bf16); i += 64) __builtin_prefetch(later + i);
    Floats a = {0}, b = {0}, c = {0}, d = {0};
    int64_t at = 0;
    for (; at + 2 * LANES <= count; at += 2 * LANES) {
        Floats even, odd;
        __builtin_memcpy(&even, x + at / 2, sizeof even);
        __builtin_memcpy(&odd, x + count / 2 + at / 2, sizeof odd);
        Words p = words(w + at), q = words(w + count + at), r = words(w + 2 * count + at), s = words(w + 3 * count + at);
        a += even * (Floats)(p << 16) + odd * (Floats)(p & 0xffff0000u);
        b += even * (Floats)(q << 16) + odd * (Floats)(q & 0xffff0000u);
        c += even * (Floats)(r << 16) + odd * (Floats)(r & 0xffff0000u);
        d += even * (Floats)(s << 16) + odd * (Floats)(s & 0xffff0000u);
    }
    to[0] = total_of(a), to[1] = total_of(b), to[2] = total_of(c), to[3] = total_of(d);
    for (int64_t i = 0; at < count && i < TOGETHER; i++) to[i] += halved_dot(x, w + i * count, at, count);
}

/* What the low-rank change makes of halved x before its second matrix. */
static inline void lower(const float *x, const Matrix *m, int64_t inputs, float *inner) {
    for (int64_t i = 0; i < m->rank; i++) inner[i] = rounded(halved_dot(x, m->a + i * inputs, 0, inputs));
}

/* Outputs from `first`, at most TOGETHER of them, of halved x through a matrix. */
static inline void through(const float *x, const float *inner, const Matrix *m, int64_t inputs, int64_t outputs,
                           int64_t first, float *to) {
    int64_t count = outputs - first < TOGETHER ? outputs - first : TOGETHER;
    if (count == TOGETHER) dots(x, m->weight + first * inputs, inputs, to);
    else
        for (int64_t i = 0; i < count; i++) to[i] = halved_dot(x, m->weight + (first + i) * inputs, 0, inputs);
    for (int64_t i = 0; i < count; i++) {
        if (m->bias) to[i] += up(m->bias[first + i]);
        to[i] = rounded(to[i]);
        if (m->rank) to[i] = rounded(to[i] + one_dot(inner, m->b + (first + i) * m->rank, m->rank));
    }
}

static inline void norm(const float *x, const bf16 *weight, float *to, int64_t width, float epsilon) {
    float squares = 0.0f;
    for (int64_t i = 0; i < width; i++) squares += x[i] * x[i];
    float scale = 1.0f / sqrtf(squares / (float)width + epsilon);
    for (int64_t i = 0; i < width; i++) to[i] = rounded(up(weight[i]) * rounded(x[i] * scale));
}

/* The same, halved. */
static inline void halved_norm(const float *x, const bf16 *weight, float *to, int64_t width, float epsilon) {
    float own[width];
    norm(x, weight, own, width, epsilon);
    halve(own, to, width);
}

/* A head, normalised where the model does so, and rotated. */
static inline void place(const float *from, const bf16 *weight, const bf16 *c, const bf16 *s, float *to, int64_t size,
                         float epsilon) {
    float own[WIDEST_HEAD];
    int64_t half = size / 2;
    if (weight) norm(from, weight, own, size, epsilon);
    else
        for (int64_t i = 0; i < size; i++) own[i] = from[i];
    for (int64_t i = 0; i < half; i++) {
        to[i] = rounded(own[i] * up(c[i]) - own[i + half] * up(s[i]));
        to[i + half] = rounded(own[i + half] * up(c[i + half]) + own[i] * up(s[i + half]));
    }
}

/* One head's attention over the cache and the new position, whose key and value the first head of a group stores. */
static void attend(const Shape *shape, const Layer *layer, const float *joined, const bf16 *c, const bf16 *s,
                   int64_t head, float *scores, float *to) {
    float query[WIDEST_HEAD], key[WIDEST_HEAD];
    int64_t size = shape->size, group = head / (shape->heads / shape->kv_heads), known = shape->known;
    bf16 *keys = layer->keys + group * shape->capacity * size, *values = layer->values + group * shape->capacity * size;
    const float *k = joined + (shape->heads + group) * size, *v = k + shape->kv_heads * size;
    place(joined + head * size, layer->q_norm, c, s, query, size, shape->epsilon);
    place(k, layer->k_norm, c, s, key, size, shape->epsilon);
    float most = 0.0f, sum = 0.0f;
    for (int64_t i = 0; i < size; i++) most += query[i] * key[i];
    most = scores[known] = most * shape->scale;
    for (int64_t at = 0; at < known; at++) {
        scores[at] = one_dot(query, keys + at * size, size) * shape->scale;
        most = scores[at] > most ? scores[at] : most;
    }
    for (int64_t at = 0; at <= known; at++) sum += scores[at] = exponential(scores[at] - most);
    for (int64_t i = 0; i < size; i++) to[i] = scores[known] * v[i];
    for (int64_t at = 0; at < known; at++)
        for (int64_t i = 0; i < size; i++) to[i] += scores[at] * up(values[at * size + i]);
    for (int64_t i = 0; i < size; i++) to[i] = rounded(to[i] / sum);
    if (head % (shape->heads / shape->kv_heads)) return;
    for (int64_t i = 0; i < size; i++) {
        keys[known * size + i] = down(key[i]);
        values[known * size + i] = down(v[i]);
    }
}

/* total += x through a matrix, as a residual connection. */
static inline void add(const float *x, const Matrix *m, int64_t inputs, int64_t outputs, float *total) {
    float inner[MOST_RANK], part[TOGETHER], halved[inputs];
    halve(x, halved, inputs);
    lower(halved, m, inputs, inner);
#pragma omp for schedule(static)
    for (int64_t out = 0; out < outputs; out += TOGETHER) {
        through(halved, inner, m, inputs, outputs, out, part);
        for (int64_t i = 0; i < TOGETHER && out + i < outputs; i++) total[out + i] = rounded(total[out + i] + part[i]);
    }
}

/* Queries, keys and values of halved x side by side in `joined`. */
static inline void project(const Shape *shape, const Layer *layer, const float *x, float *joined) {
    float inner[3][MOST_RANK];
    const Matrix *each[3] = {&layer->q, &layer->k, &layer->v};
    int64_t own = shape->heads * shape->size, shared = shape->kv_heads * shape->size;
    for (int64_t i = 0; i < 3; i++) lower(x, each[i], shape->hidden, inner[i]);
#pragma omp for schedule(static)
    for (int64_t out = 0; out < own + 2 * shared; out += TOGETHER) {
        int64_t which = out < own ? 0 : out < own + shared ? 1 : 2;
        int64_t start = which == 0 ? 0 : own + (which - 1) * shared, width = which == 0 ? own : shared;
        through(x, inner[which], each[which], shape->hidden, width, out - start, joined + out);
    }
}

/* silu(gate) × up, of halved x */
static inline void gate(const Shape *shape, const Layer *layer, const float *x, float *active) {
    float inner[2][MOST_RANK], first[TOGETHER], second[TOGETHER];
    lower(x, &layer->gate, shape->hidden, inner[0]);
    lower(x, &layer->up, shape->hidden, inner[1]);
#pragma omp for schedule(static)
    for (int64_t out = 0; out < shape->inner; out += TOGETHER) {
        through(x, inner[0], &layer->gate, shape->hidden, shape->inner, out, first);
        through(x, inner[1], &layer->up, shape->hidden, shape->inner, out, second);
        for (int64_t i = 0; i < TOGETHER && out + i < shape->inner; i++)
            active[out + i] = rounded(rounded(first[i] / (1.0f + exponential(-first[i]))) * second[i]);
    }
}

/* The logits after one token whose embedding is in `total`. `shared` has room for all heads and the inner width;
 * `scores` for capacity numbers a head. All widths must be even, heads multiples of TOGETHER wide and at most WIDEST_HEAD;
 * ranks are at most MOST_RANK. */
void decode(const Shape *shape, const Layer *layers, const bf16 *final_norm, const Matrix *head, const bf16 *cosine,
            const bf16 *sine, float *total, float *shared, float *scores, float *logits) {
    int64_t joined = (shape->heads + 2 * shape->kv_heads) * shape->size, own = shape->heads * shape->size;
    float *seen = shared + joined, *active = seen + own;
#pragma omp parallel
    {
        float x[shape->hidden]; /* each thread makes the short norms itself, and waits for nobody */
        for (int64_t index = 0; index < shape->layers; index++) {
            const Layer *layer = layers + index;
            halved_norm(total, layer->input_norm, x, shape->hidden, shape->epsilon);
            project(shape, layer, x, shared);
#pragma omp for schedule(static)
            for (int64_t one = 0; one < shape->heads; one++)
                attend(shape, layer, shared, cosine, sine, one, scores + one * shape->capacity,
                       seen + one * shape->size);
            add(seen, &layer->o, own, shape->hidden, total);
            halved_norm(total, layer->post_norm, x, shape->hidden, shape->epsilon);
            gate(shape, layer, x, active);
            add(active, &layer->down, shape->inner, shape->hidden, total);
        }
        halved_norm(total, final_norm, x, shape->hidden, shape->epsilon);
#pragma omp for schedule(static)
        for (int64_t out = 0; out < shape->vocabulary; out += TOGETHER) {
            float part[TOGETHER];
            through(x, 0, head, shape->hidden, shape->vocabulary, out, part);
            for (int64_t i = 0; i < TOGETHER && out + i < shape->vocabulary; i++) logits[out + i] = part[i];
        }
    }
}
