// What the page computes with: the float functions of the engine's table, and `run`.
//
// A row here is the row's function in `autograd/ieee.py`. There is no derivative: where a Program
// gives gradients, Python has written them down in these functions.

"use strict";

const ieee = {
  // Arithmetic
  add:                 (a, b) => a + b,
  sub:                 (a, b) => a - b,
  mul:                 (a, b) => a * b,
  div:                 (a, b) => a / b,
  neg:                 (x) => -x,
  times:               (a, b) => (a === 0 || b === 0 ? 0 : a * b),
  pow:                 (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : Math.pow(a, b)),
  power_log:           (a, b) => (a === 0 && b >= 0 ? 0 : ieee.times(ieee.pow(a, b), Math.log(a))),
  square:              (x) => x * x,
  reciprocal:          (x) => 1 / x,
  sqrt:                Math.sqrt,
  cbrt:                Math.cbrt,
  hypot:               Math.hypot,
  direction,

  // Exponentials and logarithms
  exp:                 Math.exp,
  exp2:                (x) => Math.pow(2, x),
  expm1:               Math.expm1,
  log:                 Math.log,
  log2:                Math.log2,
  log10:               Math.log10,
  log1p:               Math.log1p,
  positive_reciprocal: (x) => (x >= 0 ? 1 / x : NaN),
  logaddexp,
  exp_difference,
  portion:             (a, b) => a / (a + b),
  xlogy:               (x, y) => (y !== y ? NaN : ieee.times(x, Math.log(y))),

  // Circular and hyperbolic functions
  sin:                 Math.sin,
  cos:                 Math.cos,
  tan:                 Math.tan,
  asin:                Math.asin,
  acos:                Math.acos,
  one_minus_square:    (x) => (1 - x) * (1 + x),
  atan:                Math.atan,
  lorentzian,
  atan2:               Math.atan2,
  sinh:                Math.sinh,
  cosh:                Math.cosh,
  tanh:                Math.tanh,
  sech,
  asinh:               Math.asinh,
  acosh:               Math.acosh,
  atanh:               Math.atanh,

  // The error function and the normal distribution
  erf,
  erfc,
  gaussian,
  normal_density,
  normal_distribution,

  // Transfer functions
  relu:                (x) => (x <= 0 ? 0 : x),
  leaky_relu:          (x, slope) => (x > 0 ? x : slope * x),
  elu:                 (x, alpha) => (x > 0 ? x : alpha * Math.expm1(x)),
  selu:                (x) => 1.0507009873554805 * ieee.elu(x, 1.6732632423543772),
  softplus:            (x) => ieee.maximum(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  sigmoid,
  log_sigmoid:         (x) => -ieee.softplus(-x),
  silu,
  gelu:                (x) => (x < -40 ? -0 : x * normal_distribution(x)),
  softsign:            (x) => (Math.abs(x) === Infinity ? Math.sign(x) : x / (1 + Math.abs(x))),
  hardtanh:            (x) => (x < -1 ? -1 : x > 1 ? 1 : x),

  // Kinks and choices: what is undefined is nan, and nan is a condition that holds
  abs:                 Math.abs,
  sign:                Math.sign,
  step:                (x) => (x > 0 ? 1 : x <= 0 ? 0 : x),
  floor:               Math.floor,
  ceil:                Math.ceil,
  maximum:             (a, b) => (a > b || a !== a ? a : b),
  minimum:             (a, b) => (a < b || a !== a ? a : b),
  stop_gradient:       (x) => x,
  identity:            (x) => x,
  share:               (a, b) => (a > b ? 1 : a === b ? 0.5 : a !== a ? a : 0),
  clip:                (x, low, high) => ieee.minimum(ieee.maximum(x, low), high),
  inside:              (x, low, high) => (low <= x && x <= high ? 1 : x === x ? 0 : x),
  where:               (condition, a, b) => (condition !== 0 ? a : b),
  truth:               (condition) => (condition !== 0 ? 1 : 0),
  less:                (a, b) => (a < b ? 1 : 0),
  less_equal:          (a, b) => (a <= b ? 1 : 0),
  equal:               (a, b) => (a === b ? 1 : 0),
  not_equal:           (a, b) => (a !== b ? 1 : 0),

  // Rows of any length; operands of dot are the ws, the xs and the bias
  dot,
  sum:                 (...xs) => xs.reduce((total, x) => total + x, 0),
  mean:                (...xs) => ieee.sum(...xs) / xs.length,
  norm:                Math.hypot,
  peak:                (...xs) => xs.reduce(ieee.maximum, -Infinity),
  logsumexp,
};

// The results of a Program for these numbers. An operand that is a number is the place of an
// earlier result, inputs first; one that is a string is a constant.
function run(program, numbers) {
  if (numbers.length !== program.inputs) throw new RangeError(`expected ${program.inputs} numbers`);
  const found = [...numbers];
  const at = (operand) => (typeof operand === "number" ? found[operand] : Number(operand));
  for (const [name, ...operands] of program.instructions) found.push(ieee[name](...operands.map(at)));
  return program.results.map(at);
}

function dot(...operands) {
  const size = (operands.length - 1) / 2;
  let total = operands[2 * size];
  for (let i = 0; i < size; i++) total += operands[i] * operands[size + i];
  return total;
}

function logsumexp(...xs) {
  const largest = ieee.peak(...xs);
  if (!(Math.abs(largest) < Infinity)) return largest;
  const at = xs.indexOf(largest);
  const others = xs.filter((_, i) => i !== at);
  return largest + Math.log1p(ieee.sum(...others.map((x) => exp_difference(x, largest))));
}

function logaddexp(a, b) {
  if (a === b) return a + Math.LN2;
  const [low, high] = [ieee.minimum(a, b), ieee.maximum(a, b)];
  return high + Math.log1p(exp_difference(low, high));
}

// e^(a - b), the rounding error of a - b made good (Knuth 1969).
function exp_difference(a, b) {
  const difference = a - b;
  const power = Math.exp(difference);
  if (!(-750 < difference && difference < 709)) return power;
  const back = difference - a;
  return power + power * (a - (difference - back) - (b + back));
}

// a / hypot(a, b), the cosine of the angle of (a, b); 0 at the origin.
function direction(a, b) {
  if (Math.abs(a) === Infinity && Math.abs(b) < Infinity) return Math.sign(a);
  const scale = Math.hypot(a, b) < 1e-290 ? 2 ** 600 : 1; // a subnormal length has too few digits
  const length = Math.hypot(scale * a, scale * b);
  return length === 0 ? 0 : (scale * a) / length;
}

function sech(x) {
  const e = Math.exp(-Math.abs(x));
  return (2 * e) / (1 + e * e);
}

function sigmoid(x) {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

// 1 / (1 + x^2), scaled where x^2 would overflow.
function lorentzian(x) {
  const scale = Math.abs(x) < 1e150 ? 1 : 2 ** -500, scaled = x * scale;
  return (scale / (scale * scale + scaled * scaled)) * scale;
}

// x sigmoid(x), in halves of e^x where e^x alone would be subnormal.
function silu(x) {
  if (x >= 0) return x / (1 + Math.exp(-x));
  if (x < -1500) return -0;
  const e = Math.exp(0.5 * x);
  return x * e * (e / (1 + e * e));
}

// The rounded product of a and b, and what rounding lost (Veltkamp 1968, Dekker 1971).
function product_and_error(a, b) {
  const high = (x) => 134217729 * x - (134217729 * x - x);
  const [p, q] = [high(a), high(b)];
  return [a * b, p * q - a * b + p * (b - q) + (a - p) * q + (a - p) * (b - q)];
}

// e^-x², the rounding error of x² made good.
function gaussian(x) {
  if (Math.abs(x) > 28) return 0;
  const [squared, error] = product_and_error(x, x);
  const power = Math.exp(-squared);
  return power - power * error;
}

function normal_density(x) {
  if (Math.abs(x) > 40) return 0;
  const [squared, error] = product_and_error(x, x);
  const power = Math.exp(-0.5 * squared);
  return (power - power * 0.5 * error) / Math.sqrt(2 * Math.PI);
}

// erfc(-x / sqrt 2) / 2, the rounding error of x / sqrt 2 made good; -4.8e-17 is that of sqrt 1/2.
function normal_distribution(x) {
  const [t, error] = product_and_error(-x, Math.SQRT1_2);
  if (!(-6 < t && t < 28)) return 0.5 * erfc(t);
  const rest = error - x * -4.833646656726457e-17;
  return 0.5 * erfc(t) - (rest * gaussian(t)) / Math.sqrt(Math.PI);
}

// Next to 0 the power series, elsewhere the continued fraction (DLMF 7.6.1 and 7.9.1).
function erf(x) {
  if (!(Math.abs(x) < 0.75)) return Math.sign(x) * (1 - erfc(Math.abs(x)));
  let power = 2 / Math.sqrt(Math.PI);
  let sum = 0.12837916709551256; // the first term less 1, so that x + x sum rounds once
  for (let n = 1; n < 18; n++) {
    power *= (-x * x) / n;
    sum += power / (2 * n + 1);
  }
  return x + x * sum;
}

function erfc(x) {
  if (Math.abs(x) < 0.75) return 1 - erf(x);
  if (x < 0) return 2 - erfc(-x);
  let fraction = x;
  for (let n = Math.ceil(12 + 220 / (x * x)); n > 0; n--) fraction = x + n / 2 / fraction;
  return gaussian(x) / Math.sqrt(Math.PI) / fraction;
}
