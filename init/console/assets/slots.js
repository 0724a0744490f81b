/* Both versions on the disk, and how the last runs ended. */
let other = null;

function showSlots(a) {
  $("slots").hidden = !a;
  if (!a) return;
  other = a.slots.find(s => !s.running && s.state !== "empty");
  const state = s => s.state === "trial" ? `trial, ${s.left} left` : s.state;
  fill("slots-list", ...a.slots.map(s => el("tr", "", el("td", "", s.slot, s.running ? el("small", "", "running") : ""),
    el("td", "", s.state === "empty" ? "" : s.version), el("td", "", el("span", "pill " + tone(s.state), state(s))))));
  $("rollback").hidden = !other || !a.running || (begun() && update.state !== "ready"); /* it is being written */
  if (other) tell("rollback", `Restart with slot ${other.slot}, ${other.version}`);
}
onPress("rollback", "slots-says", () => end(`Restart with slot ${other.slot}?`, `It holds version ${other.version}` +
  (other.state === "bad" ? ", which was given up before." : "."), "Restart", `The box restarts with slot ${other.slot}`,
  "rollback"));

function showBoots(list) {
  const last = list && list[0];
  $("boots-part").hidden = !last;
  note("given-up", last && ["health-gate", "damage"].includes(last.kind) && status && last.slot !== status.slot ?
    `Version ${last.version} was given up: ${last.reason}` : "");
  if (last) fill("boots", ...list.map(b => el("li", "", el("time", "", when(b.time)), pill(b.kind), " ", b.reason,
    el("small", "", [b.version, b.slot && "slot " + b.slot, "ran " + span(b.uptime * 1000),
      b.well ? "" : "did not get well"].filter(t => t).join(" · ")))));
}

async function pollSlots() {
  if (!document.hidden) {
    const [slots, boots] = await Promise.all(["slots", "boots"].map(p => ask("/api/v1/" + p).catch(() => null)));
    showSlots(slots);
    showBoots(boots && boots.boots);
  }
  setTimeout(pollSlots, SLOWLY_MS);
}
