/* Tables of the kube role; without an answer (no Kubernetes, or it is starting) there is none. */
function showKube(id, title, list, row) {
  $(id).hidden = !list;
  if (!list) return;
  $(id + "-count").textContent = title;
  fill(id + "-list", ...list.map(row));
}
function showApps(list) {
  const well = list && list.filter(a => a.status === "healthy").length;
  showKube("apps", list && `Apps, ${well} of ${list.length} healthy`, list, a => el("tr", "",
    el("td", "", a.name, el("small", "", a.message)), el("td", "", pill(a.status)),
    el("td", "num soft", `${a.ready}/${a.objects}`)));
}
function showPods(list) {
  showKube("pods", list && `Pods, ${list.length}`, list, p => el("tr", "", el("td", "", p.name, el("small", "",
    `${p.namespace} · ${p.ready} ready` + (p.restarts ? ` · ${many(p.restarts, "restart")}` : ""))),
    el("td", "", el("span", "pill " + (TONE[p.status] || "bad"), p.status)), el("td", "num soft", span(p.age * 1000))));
}

/* Apart from the rest: the kube role may be slow to answer, the page is not. */
async function pollKube() {
  for (const [path, show] of document.hidden ? [] : [["apps", showApps], ["pods", showPods]]) {
    try {
      show((await ask("/api/v1/" + path))[path]);
    } catch (e) {
      show(null);
    }
  }
  setTimeout(pollKube, SLOWLY_MS);
}
