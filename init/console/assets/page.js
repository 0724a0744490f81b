/* What all parts use: elements, words for numbers, questions to the box. */
const EVERY_MS = 2000, SLOWLY_MS = 5000, LATE_MS = 6000, PATIENCE_MS = 8000, COMMAND_MS = 27000,
  LEAVE_MS = 180000, WANT_MS = 100, PART_MS = 60000, EVENTS = 60;
const TONE = { running: "good", ready: "good", done: "good", booting: "wait", starting: "wait", waiting: "wait",
  healthy: "good", progressing: "wait", Running: "good", Succeeded: "good", Completed: "good", Pending: "wait",
  stopping: "wait", degraded: "bad", safe: "bad", backoff: "bad", failed: "bad", killing: "bad",
  asking: "wait", loading: "wait", paused: "wait", arming: "wait", good: "good", trial: "wait", bad: "bad",
  update: "good", rollback: "wait", "health-gate": "bad", damage: "bad", watchdog: "bad", panic: "bad",
  "pid1-fault": "bad", "power-loss": "wait" };
const $ = id => document.getElementById(id);
const tone = state => TONE[state] || "off";

/* All text of the box enters the page here, as text. */
function el(tag, cls, ...inside) {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  for (const i of inside) e.append(i);
  return e;
}
const fill = (id, ...nodes) => $(id).replaceChildren(...nodes);
const facts = rows => el("dl", "", ...rows.filter(r => r[1]).flatMap(([k, v]) => [el("dt", "", k), el("dd", "", v)]));
const pill = state => el("span", "pill " + tone(state), state);
/* What a reader of the screen is told about is written only when it changes. */
function tell(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
  return $(id);
}
function note(id, text) {
  tell(id, text).hidden = !text;
}
function say(id, text, good) {
  $(id).className = "says " + (good ? "good" : "bad");
  $(id).textContent = text;
}

function span(ms) {
  const s = Math.floor(ms / 1000), m = Math.floor(s / 60), h = Math.floor(m / 60), d = Math.floor(h / 24);
  return d ? `${d} d ${h % 24} h` : h ? `${h} h ${m % 60} min` : m ? `${m} min ${s % 60} s` : `${s} s`;
}
function size(bytes) {
  let v = bytes, i = 0;
  for (; v >= 1000 && i < 5; i++) v /= 1024;
  return (v >= 10 || i < 2 ? Math.round(v) : v.toFixed(1)) + " " + ["B", "KiB", "MiB", "GiB", "TiB", "PiB"][i];
}
const when = time => time.replace("T", " ").replace(/:\d\dZ$/, " UTC");
const many = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
function bar(name, used, total) {
  const part = total ? used / total : 0, fillPart = el("div", part > .95 ? "bad" : part > .85 ? "wait" : "good");
  fillPart.style.width = Math.round(part * 100) + "%";
  return [el("div", "pair", el("span", "", name), el("span", "soft", `${size(used)} of ${size(total)}`)),
    el("div", "bar", fillPart)];
}
/* A bar that stays where it is. */
function setBar(id, done, total) {
  const part = total ? Math.min(100, Math.floor(100 * done / total)) : 0, track = $(id).querySelector(".bar");
  track.setAttribute("aria-valuenow", part);
  track.firstChild.style.width = part + "%";
}

/* Resolves to true when somebody is sure. */
function sure(title, text, yes, hard) {
  const d = $("sure");
  $("sure-title").textContent = title;
  $("sure-text").textContent = text;
  $("sure-yes").textContent = yes;
  $("sure-yes").className = hard ? "hard" : "";
  d.returnValue = "";
  d.showModal();
  return new Promise(done => d.addEventListener("close", () => done(d.returnValue === "yes"), { once: true }));
}
$("sure-yes").addEventListener("click", () => $("sure").close("yes"));
$("sure-no").addEventListener("click", () => $("sure").close(""));

async function ask(path) {
  const r = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS), cache: "no-store" });
  if (!r.ok) throw new Error(`${path}: ${r.status}`);
  return await r.json();
}
