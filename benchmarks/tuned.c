/* The mean loss and its gradient over a batch, for one network: C tuned by hand, to measure with.
 *
 * INPUTS, HIDDEN and OUTPUTS are the network's sizes and DEPTH its number of hidden layers, which
 * are tanh with -DTANH and relu without. One output means hinge loss on targets 1 and -1, more
 * mean softmax cross-entropy on the index of the class. A layer's parameters are, for each input,
 * its weights to all outputs, then the biases: (inputs + 1) x outputs numbers.
 *
 * Samples are rows, as they are given, and all but the loss is products of matrices: in tiles that
 * fill the vector registers, over blocks of samples that stay in cache.
 */

#include <math.h>
#include <string.h>

#ifdef __AVX512F__
enum { LANES = 8, ACCUMULATORS = 24, WIDEST = 4 };
#else
enum { LANES = 4, ACCUMULATORS = 12, WIDEST = 3 };
#endif

enum {
    BLOCK = 48,
    LONGEST = BLOCK + ACCUMULATORS, /* the last block, lest it be shorter than a tile */
    PADDED = (OUTPUTS + LANES - 1) / LANES * LANES,
    FIRST = (INPUTS + 1) * HIDDEN, /* parameters of the first layer, and of each in the middle */
    MIDDLE = (HIDDEN + 1) * HIDDEN,
};
_Static_assert(HIDDEN % (2 * LANES) == 0, "hidden layers are whole pairs of vectors");

#define INLINE static inline __attribute__((always_inline))
typedef double vector __attribute__((vector_size(8 * LANES), aligned(8), may_alias));
typedef long long integers __attribute__((vector_size(8 * LANES), aligned(8), may_alias));

INLINE vector splat(double x) { return x - (vector){}; }

INLINE vector load(const double *from) { return *(const vector *)from; }

INLINE void store(double *to, vector x) { *(vector *)to = x; }

INLINE vector either(integers condition, vector a, vector b) {
    return (vector)((condition & (integers)a) | (~condition & (integers)b));
}

/* exp(x) - 1 = power * result + (power - 1), where |x| <= 700. */
INLINE vector reduced(vector x, vector *power) {
    const double shift = 0x1.8p52; /* adding it rounds to an integer, in the lowest bits */
    vector shifted = x * 0x1.71547652b82fep0 + shift, k = shifted - shift;
    vector rest = x - k * 0x1.62e42fefa39efp-1 - k * 0x1.abc9e3b39803fp-56;
    *power = (vector)(((integers)shifted << 52) + (integers)splat(1.0));
    double factorial = 6227020800.0; /* of 13 */
    vector series = splat(1.0 / factorial);
#pragma GCC unroll 16
    for (int n = 13; n > 2; n--) {
        factorial /= n;
        series = series * rest + 1.0 / factorial;
    }
    return series * rest * rest + rest;
}

/* 0 below -700, so that no product with a result is subnormal, which would be slow. */
INLINE vector exponential(vector x) {
    vector power, rest = reduced(either(x > -700.0, x, splat(-700.0)), &power);
    return (vector)((integers)(power * rest + power) & (x > -700.0));
}

/* expm1(2 |x|) / (expm1(2 |x|) + 2), with the sign of x. */
INLINE vector hyperbolic_tangent(vector x) {
    integers sign = (integers)x & (integers)splat(-0.0);
    vector size = (vector)((integers)x ^ sign), power;
    vector rest = reduced(2.0 * either(size < 20.0, size, splat(20.0)), &power);
    vector e = power * rest + (power - 1.0);
    return (vector)((integers)(e / (e + 2.0)) | sign);
}

INLINE vector activation(vector x) {
#ifdef TANH
    return hyperbolic_tangent(x);
#else
    return (vector)((integers)x & (x > 0.0));
#endif
}

/* The gradient by what went into the activation, from that by its result. */
INLINE vector through_activation(vector gradient, vector result) {
#ifdef TANH
    return gradient - gradient * result * result;
#else
    return (vector)((integers)gradient & (result > 0.0));
#endif
}

enum operation { AFFINE, ACTIVATED, BACKWARD, ACCUMULATED };

/* Rows and vectors of a b + given, or of a b through the activation that gave `given`. The strides
 * of a, by row and by the index summed over, make it a matrix or its transpose. */
INLINE void tile(enum operation operation, int rows, int vectors, int inner, const double *a,
                 int a_row, int a_inner, const double *b, int b_inner, const double *given,
                 int given_row, double *result, int result_row) {
    vector sum[ACCUMULATORS];
#pragma GCC unroll 24
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++)
            sum[r * vectors + v] =
                operation == BACKWARD ? (vector){} : load(given + r * given_row + v * LANES);
    for (int k = 0; k < inner; k++) {
        vector row[WIDEST];
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            row[v] = load(b + k * b_inner + v * LANES);
            __asm__("" : "+v"(row[v])); /* in a register, loaded once */
        }
#pragma GCC unroll 24
        for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++)
                sum[r * vectors + v] += a[r * a_row + k * a_inner] * row[v];
    }
#pragma GCC unroll 24
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            vector x = sum[r * vectors + v];
            if (operation == ACTIVATED) x = activation(x);
            if (operation == BACKWARD)
                x = through_activation(x, load(given + r * given_row + v * LANES));
            store(result + r * result_row + v * LANES, x);
        }
}

/* All tiles of a product. The last rows of samples are done together with rows done before, the
 * last rows of what is accumulated by themselves. */
INLINE void product(enum operation operation, int rows, int columns, int inner, const double *a,
                    int a_row, int a_inner, const double *b, int b_inner, const double *given,
                    int given_row, double *result, int result_row) {
    int width = columns / LANES, vectors = width <= WIDEST ? width : 2;
    int height = ACCUMULATORS / vectors, rest = rows % height;
    int whole = operation == ACCUMULATED ? rows - rest : rows;
    for (int first = 0; first < whole; first += height) {
        int r = first < rows - height ? first : rows - height;
        for (int c = 0; c < columns; c += vectors * LANES)
            tile(operation, height, vectors, inner, a + r * a_row, a_row, a_inner, b + c, b_inner,
                 given + r * given_row + c, given_row, result + r * result_row + c, result_row);
    }
    if (operation == ACCUMULATED && rest)
        for (int c = 0; c < columns; c += vectors * LANES)
            tile(operation, rest, vectors, inner, a + whole * a_row, a_row, a_inner, b + c,
                 b_inner, given + whole * given_row + c, given_row,
                 result + whole * result_row + c, result_row);
}

/* y = x weights + biases of n samples, activated or not. */
INLINE void forward(enum operation operation, int n, int inputs, int outputs,
                    const double *weights, const double *x, double *y) {
    product(operation, n, outputs, inputs, x, inputs, 1, weights, outputs,
            weights + inputs * outputs, 0, y, outputs);
}

/* Add to the gradient by weights and biases, from that by y. */
INLINE void by_parameters(int n, int inputs, int outputs, const double *x, const double *by_y,
                          double *gradient) {
    product(ACCUMULATED, inputs, outputs, n, x, 1, inputs, by_y, outputs, gradient, outputs,
            gradient, outputs);
    double *biases = gradient + inputs * outputs;
    for (int s = 0; s < n; s++)
        for (int c = 0; c < outputs; c += LANES)
            store(biases + c, load(biases + c) + load(by_y + s * outputs + c));
}

/* The gradient by what went into the activations x, from that by y, of which `stored` to a row. */
INLINE void by_inputs(int n, int outputs, int stored, const double *transposed, const double *by_y,
                      const double *x, double *gradient) {
    product(BACKWARD, n, HIDDEN, outputs, by_y, stored, 1, transposed, HIDDEN, x, HIDDEN, gradient,
            HIDDEN);
}

/* Replace outputs by the gradient by them; return the sum of losses. */
#if OUTPUTS == 1
typedef double target;

INLINE double loss(int n, const target *t, double scale, double (*y)[PADDED]) {
    double total = 0.0;
    for (int s = 0; s < n; s++) {
        double margin = 1.0 - t[s] * y[s][0], wrong = margin > 0.0;
        y[s][0] = -t[s] * scale * wrong;
        total += margin * wrong;
    }
    return total;
}
#else
typedef long long target;

INLINE double loss(int n, const target *t, double scale, double (*y)[PADDED]) {
    double total = 0.0, product = 1.0; /* of a block's sums, each from 1 to OUTPUTS */
    for (int s = 0; s < n; s++) {
        vector most = load(y[s]);
        for (int c = LANES; c < PADDED; c += LANES)
            most = either(most > load(y[s] + c), most, load(y[s] + c));
        double top = most[0];
        for (int lane = 1; lane < LANES; lane++) top = most[lane] > top ? most[lane] : top;
        total += top - y[s][t[s]];
        for (int c = 0; c < PADDED; c += LANES) store(y[s] + c, load(y[s] + c) - top);
    }
    for (int i = 0; i < n * PADDED; i += LANES) store(y[0] + i, exponential(load(y[0] + i)));
    for (int s = 0; s < n; s++) {
        vector sums = load(y[s]);
        for (int c = LANES; c < PADDED; c += LANES) sums += load(y[s] + c);
        double sum = 0.0;
        for (int lane = 0; lane < LANES; lane++) sum += sums[lane];
        product *= sum;
        for (int c = 0; c < PADDED; c += LANES) store(y[s] + c, load(y[s] + c) * (scale / sum));
        y[s][t[s]] -= scale;
    }
    return total + log(product);
}
#endif

/* Return the mean loss of at least ACCUMULATORS samples, and set its gradient. */
double mean_and_gradient(const double *parameters, const double *X, const target *T, int samples,
                         double *gradient) {
    static double hidden[DEPTH][LONGEST][HIDDEN], by_hidden[DEPTH][LONGEST][HIDDEN];
    static double output[LONGEST][PADDED], last[HIDDEN + 1][PADDED], by_last[HIDDEN + 1][PADDED];
    static double transposed[DEPTH][HIDDEN][HIDDEN], last_transposed[OUTPUTS][HIDDEN];
    const double *middle = parameters + FIRST - MIDDLE, *given = middle + DEPTH * MIDDLE;
    double *by_middle = gradient + FIRST - MIDDLE, *by_given = by_middle + DEPTH * MIDDLE;

    for (int i = 0; i <= HIDDEN; i++)
        for (int o = 0; o < PADDED; o++)
            last[i][o] = o < OUTPUTS ? given[i * OUTPUTS + o] : i < HIDDEN ? 0.0 : -1e30;
    for (int i = 0; i < HIDDEN; i++)
        for (int o = 0; o < OUTPUTS; o++) last_transposed[o][i] = last[i][o];
    for (int layer = 1; layer < DEPTH; layer++)
        for (int i = 0; i < HIDDEN; i++)
            for (int o = 0; o < HIDDEN; o++)
                transposed[layer][o][i] = middle[layer * MIDDLE + i * HIDDEN + o];
    memset(by_last, 0, sizeof by_last);
    memset(gradient, 0, sizeof(double) * (FIRST + (DEPTH - 1) * MIDDLE));

    double total = 0.0;
    for (int start = 0, n; start < samples; start += n) {
        n = samples - start < LONGEST ? samples - start : BLOCK;
        const double *x = X + start * INPUTS, *top = hidden[DEPTH - 1][0];
        forward(ACTIVATED, n, INPUTS, HIDDEN, parameters, x, hidden[0][0]);
        for (int layer = 1; layer < DEPTH; layer++)
            forward(ACTIVATED, n, HIDDEN, HIDDEN, middle + layer * MIDDLE, hidden[layer - 1][0],
                    hidden[layer][0]);
        forward(AFFINE, n, HIDDEN, PADDED, last[0], top, output[0]);
        total += loss(n, T + start, 1.0 / samples, output);
        by_parameters(n, HIDDEN, PADDED, top, output[0], by_last[0]);
        by_inputs(n, OUTPUTS, PADDED, last_transposed[0], output[0], top, by_hidden[DEPTH - 1][0]);
        for (int layer = DEPTH - 1; layer > 0; layer--) {
            by_parameters(n, HIDDEN, HIDDEN, hidden[layer - 1][0], by_hidden[layer][0],
                          by_middle + layer * MIDDLE);
            by_inputs(n, HIDDEN, HIDDEN, transposed[layer][0], by_hidden[layer][0],
                      hidden[layer - 1][0], by_hidden[layer - 1][0]);
        }
        by_parameters(n, INPUTS, HIDDEN, x, by_hidden[0][0], gradient);
    }
    for (int i = 0; i <= HIDDEN; i++)
        memcpy(by_given + i * OUTPUTS, by_last[i], sizeof(double) * OUTPUTS);
    return total / samples;
}

/* Multiply and add in registers alone; return how many floating-point operations that was. */
double multiply_and_add(long rounds) {
    vector sum[ACCUMULATORS], x = splat(0.5);
    for (int i = 0; i < ACCUMULATORS; i++) {
        sum[i] = splat(i);
        __asm__("" : "+v"(sum[i])); /* unknown, lest any of it be computed in advance */
    }
    for (long round = 0; round < rounds; round++)
#pragma GCC unroll 24
        for (int i = 0; i < ACCUMULATORS; i++) sum[i] = sum[i] * x + x;
    for (int i = 0; i < ACCUMULATORS; i++) __asm__ volatile("" : : "v"(sum[i]));
    return 2.0 * LANES * ACCUMULATORS * rounds;
}
