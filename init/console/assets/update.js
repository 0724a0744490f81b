/* Updates: how one stands, what may be done about it, and beginning one: first it is shown, then installed. */
const CAN = { pause: ["loading", "waiting"], resume: ["paused"], restart: ["ready"],
  cancel: ["asking", "loading", "waiting", "paused", "ready", "failed"] };
const CANCEL = { ready: "Throw it away", failed: "Dismiss" };
const KEEP_OPEN = "This page sends the file: leave it open.";
const BEGUN = ["asking", "loading", "waiting", "paused", "arming", "ready"];
/* What the box says, what is shown before it begins, the file that this page sends. */
let update = null, offer = null, sending = null;
const begun = () => update !== null && BEGUN.includes(update.state);
function showParts() {
  if (begun()) offer = null;
  $("offer").hidden = !offer;
  $("give").hidden = Boolean(sending) || !(update && update.want && update.state === "waiting");
  $("find").hidden = Boolean(offer || begun());
}

/* "12 of 38 MiB, 3.1 MiB/s": from one look to the next, within a phase. */
const pace = { phase: "", done: 0, at: 0, rate: 0 };
function rate(a) {
  const now = Date.now(), ms = now - pace.at;
  if (a.phase !== pace.phase || a.done < pace.done || a.state !== "loading") pace.rate = 0;
  else if (ms > 0) pace.rate = (pace.rate || (a.done - pace.done) / ms) * .6 + (a.done - pace.done) / ms * .4;
  Object.assign(pace, { phase: a.phase, done: a.done, at: now });
  const left = pace.rate > 0 && span((a.total - a.done) / pace.rate);
  return pace.rate > 0 ? `, ${size(pace.rate * 1000)}/s, ${left} left` : "";
}

function showUpdate(a) {
  const state = a ? a.state : "unknown", over = !BEGUN.includes(state) || state === "ready";
  if (over && update && update.state !== state) say("update-says", "", true); /* was about before */
  update = a;
  tell("update-pill", state).className = "pill " + tone(state);
  const came = state === "ready" && `; ${size(a.fetched)} fetched, ${size(a.copied + a.kept)} were there already`;
  tell("update-message", a ? a.message + (came || "") : "The update service does not answer.");
  if (a && a.channel) tell("update-message", `${a.message}. ${a.channel}`);
  $("progress").hidden = !(a && a.total);
  if (a && a.total) {
    setBar("progress", a.done, a.total);
    tell("progress-phase", a.phase);
    tell("progress-size", `${size(a.done)} of ${size(a.total)}${rate(a)}`);
  }
  for (const what in CAN)
    $("do-" + what).hidden = !CAN[what].includes(state) || (what === "pause" && a.source === "an upload");
  $("do-cancel").textContent = CANCEL[state] || "Cancel";
  showParts();
}
async function lookAtUpdate() {
  showUpdate(await ask("/api/v1/update").catch(() => null));
}
async function pollUpdate() {
  if (!document.hidden) await lookAtUpdate();
  setTimeout(pollUpdate, begun() ? EVERY_MS : SLOWLY_MS);
}
for (const what of ["pause", "resume", "cancel"])
  onPress("do-" + what, "update-says", async () => {
    if (what === "cancel" && update.state === "ready" && !await sure("Throw the update away?",
      "It is on the disk and can be started. Without it there is no other version to start until the next update.",
      "Throw it away", true)) return;
    await act("update", what);
    say("update-says", "", true);
    await lookAtUpdate();
    const next = ["resume", "pause", "restart"].find(w => !$("do-" + w).hidden);
    if (next) $("do-" + next).focus();
  });
onPress("do-restart", "update-says", () => end(`Restart into ${update.version}?`, "If the box does not get well with " +
  "it in time, it goes back to this version by itself.", "Restart", `The box restarts into ${update.version}`,
  "reboot"));

/* --- what there is to install --- */
/* The text in front of a bundle, as far as the page shows it. Believed only for that: the box checks who signed it. */
async function readBundle(file) {
  const head = new TextDecoder().decode(await file.slice(0, 512).arrayBuffer());
  const bytes = parseInt(head.slice(124, 136), 8);
  if (!head.startsWith("manifest.yaml\0") || !(bytes > 0 && bytes <= 16384)) throw new Error("This is not a bundle.");
  const text = new TextDecoder().decode(await file.slice(512, 512 + bytes).arrayBuffer());
  const get = key => ((text.match(new RegExp(`^${key}: *(.*)$`, "m")) || [])[1] || "");
  const plain = v => v.startsWith('"') ? JSON.parse(v) : v;
  return { version: plain(get("version")), changes: plain(get("changes")), kubernetes: plain(get("kubernetes")),
    created: new Date(get("created") * 1000).toISOString().replace(".000", ""), size: file.size, from: "file", file,
    source: "upload:" + file.size };
}
async function look(from, form) {
  if (from === "file") {
    if (!form.file.files[0]) throw new Error("Choose a file first.");
    return readBundle(form.file.files[0]);
  }
  if (from === "url" && !/^(https?:\/\/|\/data\/)./.test(form.url.value))
    throw new Error("An address begins with https://, a file on the box with /data/");
  if (from !== "channel") return { from, source: from === "usb" ? "usb" : form.url.value,
    ...await act("update", "show", from === "usb" ? "usb" : form.url.value) };
  const there = await act("update", "check");
  if (!there.version) return there;
  const about = await act("update", "show", there.source);
  return { ...about, from, note: there.message };
}
function showOffer(a) {
  offer = a && a.version ? a : null;
  showParts();
  if (!offer) return;
  $("offer-title").textContent = `Version ${a.version}`;
  fill("offer-facts", facts([["Running now", status.version], ["Size", size(a.size)],
    ["To be fetched", a.fetch && "about " + size(a.fetch)], ["Made", when(a.created || "")],
    ["Kubernetes", a.kubernetes], ["File", a.file && (a.file.name || a.file)], ["Channel", a.note]]));
  $("offer-changes").textContent = a.changes || "It does not say what has changed.";
  $("offer-title").focus();
}
function chooseSource() {
  const from = $("find").from.value;
  for (const e of document.querySelectorAll("[data-from]")) e.hidden = e.dataset.from !== from;
}
$("find").from.addEventListener("change", chooseSource);
$("find").addEventListener("submit", async ev => {
  const form = ev.target, button = form.querySelector("button");
  ev.preventDefault();
  button.disabled = true;
  say("update-says", "looking", true);
  try {
    const a = await look(form.from.value, form);
    say("update-says", a.version ? "" : a.message, true);
    showOffer(a);
  } catch (e) {
    say("update-says", e.message);
  }
  button.disabled = false;
});
$("offer-no").addEventListener("click", () => {
  showOffer(null);
  $("find").from.focus();
});
$("offer").addEventListener("submit", async ev => {
  const form = ev.target, button = form.querySelector("button");
  const switches = ["restart", "snapshot", "again", "older"].filter(s => form[s].checked).map(s => "--" + s);
  ev.preventDefault();
  button.disabled = true;
  say("update-says", "beginning", true);
  try {
    const file = offer.file;
    const a = await act("update", "install", ...(offer.source ? [offer.source] : []), ...switches);
    say("update-says", file ? KEEP_OPEN : a.message, true);
    if (file) give(file);
    showOffer(null);
    form.reset();
    await lookAtUpdate();
  } catch (e) {
    say("update-says", e.message);
  }
  button.disabled = false;
});

/* --- a file of this computer: the box asks for the parts of it that it lacks --- */
async function givePart(want, file) {
  const r = await fetch("/api/v1/update/upload?from=" + want.from, { method: "PUT", headers: { "X-Hearth-CSRF": csrf },
    body: file.slice(want.from, want.from + want.length), signal: AbortSignal.timeout(PART_MS) });
  if (r.status === 401) askOwner();
  if (!r.ok) throw new Error((await r.json()).error);
}
/* Until the box has all of it, or wants no more; a part that does not get through is asked for again. */
async function give(file) {
  const source = "upload:" + file.size;
  let broken = 0;
  sending = file;
  while (sending === file) {
    const a = await ask("/api/v1/update").catch(() => null);
    if (a && (a.source !== source || !BEGUN.includes(a.state) || a.state === "ready")) break;
    try {
      if (a && a.want) await givePart(a.want, file);
      if (a && broken) say("update-says", KEEP_OPEN, true);
      if (a) broken = 0;
    } catch (e) {
      broken = 1;
      say("update-says", `The file does not get through (${e.message}), still trying.`);
    }
    await new Promise(done => setTimeout(done, broken || !a || a.state === "paused" ? EVERY_MS : a.want ? 0 : WANT_MS));
  }
  if (sending !== file) return; /* another one was chosen */
  sending = null;
  say("update-says", "", true);
  lookAtUpdate();
}
addEventListener("beforeunload", ev => sending && ev.preventDefault());
$("give").addEventListener("submit", async ev => {
  const form = ev.target, file = form.file.files[0];
  ev.preventDefault();
  try {
    const b = file && await readBundle(file);
    if (!b || b.source !== update.source || (update.version && b.version !== update.version))
      throw new Error("That is not the file that was begun with.");
    form.reset();
    say("update-says", KEEP_OPEN, true);
    give(file);
    showParts();
  } catch (e) {
    say("update-says", e.message);
  }
});
