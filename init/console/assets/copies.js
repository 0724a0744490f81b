/* Copies of the apps' volumes; one of them goes back when the owner says so. */
async function restore(name) {
  if (!await sure(`Restore ${name}?`, "It has this older data back at the next start. What it holds then is kept.",
    "Restore")) return;
  say("copies-says", (await act("snapshots", "restore", name)).message, true);
}
function showCopies(list) {
  $("copies-part").hidden = !list || !list.length;
  fill("copies", ...(list || []).map(c => {
    const button = el("button", "plain mine", "Restore");
    button.hidden = c.restore;
    button.addEventListener("click", () => restore(c.name).catch(e => say("copies-says", e.message)));
    const about = [c.taken ? when(c.taken) : "", c.size ? size(c.size) : "", c.why,
      c.restore ? "goes back at the next start" : ""];
    return el("tr", "", el("td", "", c.name, el("small", "", about.filter(t => t).join(" · "))),
      el("td", "", button));
  }));
}
async function pollCopies() {
  if (!document.hidden) showCopies((await ask("/api/v1/snapshots").catch(() => ({}))).snapshots);
  setTimeout(pollCopies, SLOWLY_MS);
}
