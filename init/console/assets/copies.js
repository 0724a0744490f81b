/* Copies of the apps' volumes; one of them goes back when the owner says so. */
async function orderCopies(...words) {
  say("copies-says", (await act("snapshots", ...words)).message, true);
  await lookAtCopies();
}
async function restore(name) {
  if (await sure(`Restore ${name}?`, "It has this older data back at the next start. What it holds then is kept.",
    "Restore")) await orderCopies("restore", name);
}
async function removeCopy(name) {
  if (await sure(`Remove the copy of ${name}?`, "The copy is gone for good; the app's own data stay.", "Remove", true))
    await orderCopies("remove", name);
}
function copyButton(text, c, work) {
  const button = el("button", "plain mine", text);
  button.hidden = c.restore;
  button.addEventListener("click", () => work(c.name).catch(e => say("copies-says", e.message)));
  return button;
}
function showCopies(a) {
  $("copies-part").hidden = !a;
  if (!a) return;
  const list = a.snapshots, plans = [a.next && `At the next start every volume is copied: ${a.next}.`,
    a.update && `At the first start of the new version every volume is copied: ${a.update}.`].filter(t => t);
  note("copies-plan", plans.join(" ") || (list.length ? "" : "There is no copy of a volume."));
  $("copies-take").hidden = Boolean(a.next);
  $("copies-cancel").hidden = !plans.length && !list.some(c => c.restore);
  fill("copies", ...list.map(c => {
    const about = [c.taken ? when(c.taken) : "", c.size ? size(c.size) : "", c.why,
      c.restore ? "goes back at the next start" : ""];
    return el("tr", "", el("td", "", c.name, el("small", "", about.filter(t => t).join(" · "))),
      el("td", "", copyButton("Restore", c, restore), " ", copyButton("Remove", c, removeCopy)));
  }));
}
async function lookAtCopies() {
  showCopies(await ask("/api/v1/snapshots").catch(() => null));
}
async function pollCopies() {
  if (!document.hidden) await lookAtCopies();
  setTimeout(pollCopies, SLOWLY_MS);
}
onPress("copies-take", "copies-says", () => orderCopies("take"));
onPress("copies-cancel", "copies-says", () => orderCopies("cancel"));
