// Steps through the graph that the page carries. All numbers come from its Program: values, and
// cotangents, partials and contributions, which are computed like any other number.

const by = (id) => document.getElementById(id);
const data = JSON.parse(by("data").textContent);
const count = data.names.length;
const leaves = data.numbers.map(Number);

// What the Program gives, in the order of nodes and edges.
let values, cotangents, partials, contributions;

function compute() {
  const found = run(data.program, leaves);
  values = found.slice(0, count);
  cotangents = found.slice(count, 2 * count);
  partials = found.slice(2 * count, 2 * count + data.edges.length);
  contributions = found.slice(2 * count + data.edges.length);
}

// The output alone, for differences.
const output = { ...data.program, results: [data.program.results[count - 1]] };
output.instructions = output.instructions.slice(
  0, Math.max(0, output.results[0] - leaves.length + 1));

const edges = data.edges.map(([operand, result, formula, sends]) => ({ operand, result, formula, sends }));
const boxes = data.boxes.map(([id, name, title, ...nodes]) => ({ id, name, title, nodes }));
const arrows = data.arrows.map(([operand, result, ...passed]) => ({
  operand, result, edges: passed, sends: passed.some((i) => edges[i].sends),
}));
boxes.forEach((box) => { box.leaf = data.operations[box.nodes[0]] === 0; });

// The walk: every computed box forward; the output's own gradient; every arrow backward.
const steps = [{}];
boxes.forEach((box, i) => { if (!box.leaf) steps.push({ box: i }); });
const turn = steps.push({ seed: true }) - 1;
const into = boxes.map(() => []);
arrows.forEach((arrow, i) => { if (arrow.sends) into[arrow.result].push(i); });
for (let i = boxes.length - 1; i >= 0; i--) into[i].forEach((arrow) => steps.push({ arrow }));
const forwardAt = new Map(steps.map((step, i) => [step.box, i]));
const backwardAt = new Map(steps.map((step, i) => [step.arrow, i]));
boxes.forEach((box, i) => {
  const sent = arrows.map((arrow, j) => (arrow.operand === i ? backwardAt.get(j) ?? 0 : 0));
  box.computedAt = forwardAt.get(i) ?? 0;
  box.completeAt = Math.max(turn, ...sent);
});
const reached = new Set(edges.filter((edge) => edge.sends).map((edge) => edge.operand)).add(count - 1);

let now = 0;

// What each node has received up to this step.
function received() {
  const totals = new Array(count).fill(null);
  if (now >= turn) totals[count - 1] = 1;
  for (let i = turn + 1; i <= now; i++) {
    for (const edge of arrows[steps[i].arrow].edges) {
      if (!edges[edge].sends) continue;
      const operand = edges[edge].operand;
      totals[operand] = (totals[operand] ?? 0) + contributions[edge];
    }
  }
  // once complete, what the Program says: to the last bit, and within what is folded too
  for (const box of boxes) {
    if (now < box.completeAt) continue;
    for (const node of box.nodes) if (reached.has(node)) totals[node] = cotangents[node];
  }
  return totals;
}

// Numbers and names ----------------------------------------------------------------------------

function print(x, digits = 4) {
  if (x === null) return "·";
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  if (x === 0) return "0";
  const exact = x.toExponential(60).replace(/[-.]/g, "");
  if (exact[digits - 1] % 2 === 0 && /^50*e/.test(exact.slice(digits))) x *= 1 - 1e-9; // a tie: to even
  const [mantissa, power] = x.toExponential(digits - 1).split("e");
  const short = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  const exponent = Number(power);
  if (exponent < -4 || exponent >= digits) return `${short(mantissa)}e${exponent}`;
  return short(x.toFixed(digits - 1 - exponent));
}

function range(xs, digits = 4) {
  const known = xs.filter((x) => x !== null);
  if (!known.length) return "·";
  const numbers = known.filter((x) => !Number.isNaN(x));
  const ends = numbers.length
    ? [print(numbers.reduce((a, b) => Math.min(a, b)), digits),
       print(numbers.reduce((a, b) => Math.max(a, b)), digits)] : [];
  if (numbers.length < known.length) ends.push("nan");
  return [...new Set(ends)].join(" … ");
}

function signOf(xs) {
  const signs = new Set(xs.filter((x) => x).map((x) => (x > 0 ? "positive" : "negative")));
  return signs.size === 1 ? [...signs][0] : signs.size ? "mixed" : "";
}

const escaped = (text) =>
  text.replace(/[&<>"']/g, (mark) => `&#${mark.codePointAt(0)};`);
const mi = (text) => {
  const numbered = /^([nf])(\d+)$/.exec(text);
  return numbered
    ? `<msub><mi>${numbered[1]}</mi><mn>${numbered[2]}</mn></msub>` : `<mi>${escaped(text)}</mi>`;
};
const mn = (text, guarded = false) => {
  const number = text.startsWith("-")
    ? `<mo form="prefix" rspace="0">−</mo><mn>${text.slice(1)}</mn>` : `<mn>${text}</mn>`;
  return guarded && text.startsWith("-") ? `<mrow><mo>(</mo>${number}<mo>)</mo></mrow>`
    : `<mrow>${number}</mrow>`;
};
const math = (...parts) =>
  `<p><math displaystyle="true"><mrow>${parts.join("")}</mrow></math></p>`;
const line = (...parts) => `<p>${parts.join(" ")}</p>`;
const mo = (sign) => `<mo>${sign}</mo>`;
// The derivative along one edge, and that of the output along all ways.
const quotient = (sign, above, below) =>
  `<mfrac><mrow>${sign}${mi(above)}</mrow><mrow>${sign}${mi(below)}</mrow></mfrac>`;
const partialOf = (result, operand) => quotient(mo("∂"), result, operand);
const gradientOf = (name) => quotient('<mi mathvariant="normal">d</mi><mspace width="0.1em"/>', data.output, name);

// A formula of the table with the names or the numbers of a node's operands put in.
function filled(formula, node, numbers) {
  const [, ...operands] = data.operations[node];
  return data.formulas[formula].replace(/\{(z|\d+)(!?)\}/g, (_place, which, guarded) => {
    const operand = which === "z" ? node : operands[which];
    if (typeof operand === "string") return mn(operand, guarded);
    return numbers ? mn(print(values[operand], 6), guarded) : mi(data.names[operand]);
  });
}

// What a step says -----------------------------------------------------------------------------

function describe() {
  const step = steps[now];
  if (now === 0) {
    const start = leaves.length === 1 ? "1 leaf has its value" : `${leaves.length} leaves have their values`;
    return [`Start: ${start}`, line("Press Next, or play.")];
  }
  if (step.seed) {
    return [`Backward starts: d ${data.output} / d ${data.output} = 1`,
      math(gradientOf(data.output), mo("="), mn("1"))];
  }
  return step.arrow === undefined ? describeBox(boxes[step.box]) : describeArrow(step.arrow);
}

// What a variable is in full, where formulas call it by a shorter name.
const known = (name, title) => (title && title !== name ? line(`${mathOf(name)}: ${escaped(title)}`) : "");
const mathOf = (name) => `<math>${mi(name)}</math>`;
const titleOf = (node) => data.titles[node] || "";

function describeBox(box) {
  const found = range(box.nodes.map((node) => values[node]), 6);
  if (box.nodes.length > 1) {
    return [`${box.name} computed: ${found}`,
      known(box.name, box.title) + line(`${box.nodes.length} numbers, from the least to the greatest.`)];
  }
  const [node] = box.nodes;
  const [formula] = data.operations[node];
  return [`${data.names[node]} = ${found}`,
    math(mi(data.names[node]), mo("="), filled(formula, node, false))
    + math(mo("="), filled(formula, node, true)) + math(mo("="), mn(found))
    + known(data.names[node], titleOf(node))];
}

function describeArrow(arrow) {
  const [operand, result] = [boxes[arrows[arrow].operand], boxes[arrows[arrow].result]];
  const passed = arrows[arrow].edges;
  const sent = passed.filter((i) => edges[i].sends);
  const totals = received();
  if (passed.length > 1) {
    const found = range(sent.map((i) => contributions[i]), 6);
    const total = range(operand.nodes.map((node) => totals[node]), 6);
    return [`${operand.name}.grad += ${sent.length} contributions from ${result.name}, ${found}; total ${total}`,
      math(gradientOf(operand.name), mo("+="), gradientOf(result.name), mo("×"),
        partialOf(result.name, operand.name))
      + line(`${sent.length} edges, each with its own partial; the least and the greatest are shown.`)
      + known(operand.name, operand.title) + known(result.name, result.title)];
  }
  const edge = edges[passed[0]];
  const [from, to] = [data.names[edge.result], data.names[edge.operand]];
  const [g, p, c, total] = [cotangents[edge.result], partials[passed[0]], contributions[passed[0]], totals[edge.operand]]
    .map((x) => print(x, 6));
  const text = data.formulas[edge.formula];
  const worked = [];
  if (/\{/.test(text)) worked.push(filled(edge.formula, edge.result, false), mo("="));
  if (/\{/.test(text) && !/^\{\w+\}$/.test(text)) worked.push(filled(edge.formula, edge.result, true), mo("="));
  const formula = math(partialOf(from, to), mo("="), ...worked, mn(p));
  const signed = (x) => (x.startsWith("-") ? `(${x})` : x);
  return [`${to}.grad += ${signed(g)} × ${signed(p)} = ${c}, total ${total}`,
    sumOverUses(edge.operand, passed[0]) + formula
    + math(gradientOf(to), mo("+="), mn(g, true), mo("×"), mn(p, true), mo("="), mn(c))
    + math(`<mtext>total</mtext>`, mo("="), mn(total))
    + known(to, titleOf(edge.operand)) + known(from, titleOf(edge.result))];
}

// The chain rule of a variable: one term for each use, this step's marked.
function sumOverUses(node, current) {
  const uses = edges.map((edge, i) => i).filter((i) => edges[i].operand === node && edges[i].sends)
    .sort((a, b) => orderOf(a) - orderOf(b));
  const place = uses.indexOf(current);
  const shown = uses.length <= 4 ? uses : uses.filter((_, i) => i < 1 || i === place || i === uses.length - 1);
  const terms = shown.map((i) => {
    const user = data.names[edges[i].result];
    const term = gradientOf(user) + mo("×") + partialOf(user, data.names[node]);
    const mark = i === current ? ` class="term ${contributions[i] < 0 ? "negative" : ""}"` : "";
    return `<mrow${mark}>${term}</mrow>`;
  });
  if (shown.length < uses.length) terms.splice(terms.length - 1, 0, mo("⋯"));
  return math(gradientOf(data.names[node]), mo("="), terms.join(mo("+")));
}

const arrowOf = new Map(arrows.flatMap((arrow, i) => arrow.edges.map((edge) => [edge, i])));
const orderOf = (edge) => backwardAt.get(arrowOf.get(edge)) ?? Infinity;

// The drawing ----------------------------------------------------------------------------------

const drawing = by("drawing");
const svg = drawing.querySelector("svg");
if (svg) {
  prepare();
  fit();
  addEventListener("resize", fit);
}

// Numbers change, so each stands in the middle of the room that was laid out for it.
function prepare() {
  const part = (id) => svg.getElementById(id);
  const centred = (text, middle) => {
    text.setAttribute("text-anchor", "middle");
    text.setAttribute("x", middle);
    return text;
  };
  boxes.forEach((box, i) => {
    box.part = part(box.id);
    // read, not measured: a frame out of sight measures nothing
    const xs = box.part.querySelector("path").getAttribute("d").match(/-?[\d.]+/g).filter((_, j) => j % 2 === 0);
    const middle = (Math.min(...xs) + Math.max(...xs)) / 2;
    const texts = [...box.part.querySelectorAll("text")];
    const [value, mark, gradient] = texts.splice(-3);
    mark.remove();
    box.value = centred(value, middle);
    box.gradient = centred(gradient, middle);
    texts.forEach((text) => {
      const secondary = texts.length > 1 && text.getAttribute("font-weight") !== "bold";
      text.classList.toggle("quiet", secondary);
    });
    box.part.classList.toggle("leaf", box.leaf);
    box.part.addEventListener("click", () => go(now < turn ? box.computedAt : box.completeAt));
  });
  arrows.forEach((arrow, i) => {
    arrow.part = part(`e${i}`);
    const text = arrow.part.querySelector("text");
    const width = 0.485 * text.getAttribute("font-size") * text.textContent.length;
    arrow.label = centred(text, Number(text.getAttribute("x")) + width / 2);
    arrow.line = arrow.part.querySelector("path");
  });
}

// A wide drawing shrinks a little and takes the whole width.
function fit() {
  const natural = svg.viewBox.baseVal.width * 4 / 3;
  document.querySelector("main").classList.toggle("wide", natural > 1.3 * 0.63 * document.body.clientWidth);
  const scale = Math.max(0.75, Math.min(1.15, (drawing.clientWidth - 2) / natural));
  svg.setAttribute("width", natural * scale);
  svg.removeAttribute("height");
}

// Only what changes is written, for a page lays out again what is written.
const write = (part, text) => { if (part.textContent !== text) part.textContent = text; };
const setClass = (part, words) => {
  if (part.getAttribute("class") !== words) part.setAttribute("class", words);
};

function draw(totals) {
  const widest = Math.max(...contributions.map(Math.abs).filter(Number.isFinite), 0) || 1;
  const step = steps[now];
  boxes.forEach((box, i) => {
    const computed = now >= box.computedAt;
    const gradients = box.nodes.map((node) => totals[node]);
    write(box.value, computed ? range(box.nodes.map((node) => values[node])) : "·");
    write(box.gradient, `∂ ${range(gradients)}`);
    setClass(box.gradient, signOf(gradients) || "quiet");
    box.part.classList.toggle("later", !computed);
    box.part.classList.toggle("current",
      step.box === i || (step.seed && i === boxes.length - 1)
      || (step.arrow !== undefined && arrows[step.arrow].operand === i));
  });
  arrows.forEach((arrow, i) => {
    const computed = now >= boxes[arrow.result].computedAt;
    const passed = now >= (backwardAt.get(i) ?? Infinity);
    const sent = passed ? arrow.edges.map((edge) => contributions[edge]) : [];
    const share = Math.min(1, Math.max(0, ...sent.map((x) => Math.abs(x) || 0)) / widest);
    write(arrow.label, computed ? range(arrow.edges.map((edge) => partials[edge])) : "");
    setClass(arrow.part, ["edge", signOf(sent), computed ? "" : "later",
      step.arrow === i ? "current" : "",
      !arrow.sends || (passed && !sent.some((x) => x)) ? "still" : ""].join(" "));
    arrow.line.style.strokeWidth = (step.arrow === i ? 1.2 : 0) + 0.9 + 2.4 * Math.sqrt(share);
  });
  const current = svg.querySelector(".edge.current, .node.current");
  if (current) follow(current);
}

function follow(part) {
  const [inner, outer] = [part.getBoundingClientRect(), drawing.getBoundingClientRect()];
  const beyond = (low, high, from, to) => (low < from ? low - from - 30 : high > to ? high - to + 30 : 0);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  drawing.scrollBy({
    left: beyond(inner.left, inner.right, outer.left, outer.right),
    top: beyond(inner.top, inner.bottom, outer.top, outer.bottom),
    behavior: calm ? "auto" : "smooth",
  });
}

// The tables -----------------------------------------------------------------------------------

const MOST_ROWS = 300;
const element = (name, attributes = {}, text = "") =>
  Object.assign(Object.assign(document.createElement(name), attributes), { textContent: text });
const rows = [];

function addRow(table, cells) {
  const row = element("tr");
  row.append(...cells);
  by(table).append(row);
  return row;
}

// How far a slider goes: around a number that is neither tiny nor huge, to twice it and at least 1.
function reachOf(x) {
  const [size, most] = [Math.abs(x), Number.MAX_VALUE];
  const tiny = 1e-300 <= size && size < 1e-3;
  const reach = size < Infinity ? Math.min(tiny ? 2 * size : Math.max(1, 2 * size), most / 4) : 1;
  const value = size < Infinity ? x : 0;
  return {
    min: Math.max(value - reach, -most), max: Math.min(value + reach, most), step: reach / 500, value };
}

// A field cannot hold inf and nan: it shows them as long as nothing is typed.
function put(field, x) {
  field.value = Number.isFinite(x) ? x : "";
  field.placeholder = Number.isFinite(x) ? "" : print(x);
}

const byTitle = (a, b) => (titleOf(data.leaves[a]) || data.names[data.leaves[a]]).localeCompare(
  titleOf(data.leaves[b]) || data.names[data.leaves[b]], undefined, { numeric: true });
data.leaves.map((_, i) => i).sort(byTitle).slice(0, MOST_ROWS).forEach((i) => {
  const node = data.leaves[i];
  const name = data.names[node];
  const slider = element("input", { type: "range", ...reachOf(leaves[i]) });
  const field = element("input", { type: "number", step: "any" });
  put(field, leaves[i]);
  slider.setAttribute("aria-label", `${name}, slider`);
  field.setAttribute("aria-label", `${name}, value`);
  slider.addEventListener("input", () => { field.value = slider.value; set(i, slider.valueAsNumber); });
  field.addEventListener("input", () => {
    if (!Number.isNaN(field.valueAsNumber)) { slider.value = field.value; set(i, field.valueAsNumber); }
  });
  const [gradient, difference] = [element("td"), element("td")];
  const cells = [element("th", { scope: "row" }, titleOf(node) || name), element("td"), element("td"), gradient, difference];
  cells[1].append(slider);
  cells[2].append(field);
  rows.push({ node, leaf: i, gradient, difference, slider, field, row: addRow("leaf-rows", cells) });
});
if (data.leaves.length > MOST_ROWS) {
  addRow("leaf-rows", [element("td", { colSpan: 5 }, `… and ${data.leaves.length - MOST_ROWS} more leaves`)]);
}
boxes.filter((box) => !box.leaf).forEach((box) => {
  const [node] = box.nodes;
  const [made, value, gradient] = [element("td"), element("td"), element("td")];
  made.innerHTML = box.nodes.length > 1 ? escaped(box.title)
    : `<math>${filled(data.operations[node][0], node, false)}</math>`;
  const name = element("th", { scope: "row", title: box.title });
  name.innerHTML = mathOf(box.name);
  const cells = [name, made, value, gradient];
  rows.push({ box, value, gradient, row: addRow("computed-rows", cells) });
});

// The tables hold the numbers of the whole walk, so that they follow the sliders at every step.
function fillTables() {
  for (const { node, box, value, gradient } of rows) {
    const nodes = box ? box.nodes : [node];
    write(gradient, range(nodes.map((i) => cotangents[i]), 6));
    setClass(gradient, signOf(nodes.map((i) => cotangents[i])));
    if (box) write(value, range(nodes.map((i) => values[i]), 6));
  }
}

function markRow() {
  const step = steps[now];
  const current = boxes[step.box ?? arrows[step.arrow]?.operand];
  for (const { node, box, row } of rows) {
    row.classList.toggle("current", Boolean(current && (box ? box === current : current.nodes.includes(node))));
  }
}

// Central differences of two widths, extrapolated (Richardson 1911), and how far off they may be.
// Where the two are apart, narrower ones are tried, and those count that are in the least doubt.
function difference(leaf) {
  const x = leaves[leaf];
  const at = (moved) => run(output, leaves.map((y, i) => (i === leaf ? moved : y)))[0];
  const across = (h) => {
    const [low, high, width] = [at(x - h), at(x + h), x + h - (x - h)];
    return [(high - low) / width, 2 ** -48 * (Math.max(Math.abs(low), Math.abs(high)) / width)];
  };
  let [found, doubt] = [{ slope: NaN, error: 0 }, Infinity];
  for (const part of [1e-3, 1e-5, 1e-7]) {
    for (const size of new Set([Math.max(1, Math.abs(x)), Math.abs(x)])) {
      const [[wide], [narrow, rounding]] = [across(part * size), across(part * size / 2)];
      const apart = Math.abs(narrow - wide);
      if (apart + rounding < doubt) {
        doubt = apart + rounding;
        found = { slope: narrow + (narrow - wide) / 3, error: 1e-3 * apart + rounding };
      }
      if (apart <= 1e-4 * Math.abs(narrow)) return found;
    }
  }
  return found;
}

let waiting = 0;
function compare() {
  clearTimeout(waiting);
  const left = rows.filter((row) => row.difference);
  const some = () => {
    const until = performance.now() + 8;
    while (left.length && performance.now() < until) {
      const { node, leaf, difference: cell } = left.shift();
      const [{ slope, error }, expected] = [difference(leaf), cotangents[node]];
      const agrees = Number.isNaN(slope) || Math.abs(slope - expected) <= 1e-6 * Math.abs(expected) + error;
      cell.textContent = Number.isNaN(slope) ? "·" : print(slope, 6) + (agrees ? "" : " differs");
      cell.className = agrees ? "" : "differs";
    }
    if (left.length) waiting = setTimeout(some, 30);
  };
  waiting = setTimeout(some, 60);
}

// Steering -------------------------------------------------------------------------------------

by("scrub").max = steps.length - 1;
by("folding").textContent = data.folding;
by("folding").hidden = !data.folding;

function show() {
  const totals = received();
  const [said, formulas] = describe();
  by("said").textContent = said;
  by("formulas").innerHTML = formulas;
  by("scrub").value = now;
  const place = now === 0 ? "start" : now < turn ? `forward ${now} of ${turn - 1}`
    : `backward ${now - turn} of ${steps.length - 1 - turn}`;
  by("place").textContent = place;
  by("scrub").setAttribute("aria-valuetext", `${place}: ${said}`);
  by("first").disabled = by("back").disabled = now === 0;
  by("last").disabled = by("next").disabled = now === steps.length - 1;
  if (svg) draw(totals);
  markRow();
}

function go(to) {
  now = Math.max(0, Math.min(steps.length - 1, to));
  show();
}

function recompute() {
  compute();
  fillTables();
  show();
  compare();
}

function set(leaf, x) {
  leaves[leaf] = x;
  recompute();
}

let playing = 0;
function play() {
  playing = playing ? clearInterval(playing) : setInterval(() => {
    if (now < steps.length - 1) go(now + 1); else play();
  }, 1100);
  if (playing && now === steps.length - 1) go(0);
  by("play").textContent = playing ? "Pause" : "Play";
}

by("first").addEventListener("click", () => go(0));
by("back").addEventListener("click", () => go(now - 1));
by("play").addEventListener("click", play);
by("next").addEventListener("click", () => go(now + 1));
by("last").addEventListener("click", () => go(steps.length - 1));
by("scrub").addEventListener("input", () => go(by("scrub").valueAsNumber));
by("reset").addEventListener("click", () => {
  data.numbers.forEach((x, i) => { leaves[i] = Number(x); });
  for (const { leaf, slider, field } of rows) {
    if (slider) { put(field, leaves[leaf]); slider.value = reachOf(leaves[leaf]).value; }
  }
  recompute();
});
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input") || event.ctrlKey || event.altKey || event.metaKey) return;
  const moves = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: steps.length - 1 };
  if (event.key in moves) { go(moves[event.key]); event.preventDefault(); }
  if (event.key === "p") play();
});

// a link may end in #7, the seventh step
const linked = () => Math.trunc(Number(location.hash.slice(1))) || 0;
addEventListener("hashchange", () => go(linked()));
now = Math.max(0, Math.min(steps.length - 1, linked()));
recompute();
