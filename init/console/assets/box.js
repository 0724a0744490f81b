/* The box: how it is, its address, its services. */
let answered = 0, began = Date.now(), status = null, leaving = null;

function showBanner() {
  const lines = [], silent = Date.now() - (answered || began);
  const late = silent > LATE_MS;
  document.body.classList.toggle("stale", late && answered > 0);
  if (leaving) lines.push(["wait", `${leaving.why}. This page goes on by itself when the box is back.`]);
  else if (late) lines.push(["bad", `No answer since ${span(silent)}, still trying.` +
    (answered ? " What is below is from before." : "")]);
  if (status && !late) {
    if (status.detail && status.system !== "safe")
      lines.push([tone(status.system) === "good" ? "off" : tone(status.system), status.detail]);
    if (status.waiting) lines.push(["wait", status.waiting]);
    for (const p of status.problems) lines.push(["bad", p]);
  }
  const now = lines.join("\n");
  if (showBanner.last === now) return;
  showBanner.last = now;
  fill("banner", ...lines.map(([t, text]) => el("p", t, text)));
}

/* The box is told to restart. When its uptime begins anew it is another run of it, and perhaps of another version. */
function leave(why) {
  leaving = { why, uptime: status.uptime_ms };
  showBanner();
}
function arrive(s) {
  const anew = status && s.uptime_ms < status.uptime_ms;
  if (anew && s.version !== status.version) location.reload();
  if (anew) askOwner();
  if (anew || (leaving && s.uptime_ms > leaving.uptime + LEAVE_MS)) leaving = null; /* it did not, and says why */
}

function showAddress(s) {
  const nodes = [];
  if (s.url.startsWith("https://")) {
    const a = el("a", "", s.url.replace(/^https:\/\/|\/$/g, ""));
    a.href = s.url;
    nodes.push(el("div", "big", a));
  } else nodes.push(el("div", "big soft", "no address yet"));
  nodes.push(facts(s.interfaces.map(i => [i.name, i.addresses.map(a => a.split("/")[0]).join(", ") ||
    (i.up ? "no address" : "no cable")])));
  fill("address", ...nodes);
}

function showStatus(s) {
  $("name").textContent = s.name;
  $("sub").textContent = `Hearth ${s.version}`;
  document.title = `${s.name}: ${s.system}`;
  tell("state", s.system).className = "pill " + tone(s.system);
  showAddress(s);
  fill("system", el("div", "big", "up " + span(s.uptime_ms)), facts([["Version", s.version], ["Slot", s.slot],
    ["Kernel", s.kernel], ["Kubernetes", s.kubernetes.inside], ["Platform", s.kubernetes.state],
    ["Load", `${s.load} on ${many(s.cpus, "CPU")}`],
    ["Clock", s.time.replace("T", " ").replace("Z", " UTC") + (s.time_synced ? "" : ", not synchronised")],
    ["Boots", String(s.boots)], ["Last stop", s.last_shutdown], ["Watchdog", s.watchdog]]));
  fill("room", ...bar("Memory", s.memory.total - s.memory.available, s.memory.total),
    ...s.disks.flatMap(d => bar(d.path, d.total - d.free, d.total)));
  const n = s.services;
  $("count").textContent = `Services, ${n.ready} of ${n.total} ready` + (n.failed ? `, ${n.failed} failed` : "");
  $("start").hidden = s.stages.every(g => g.state === "done");
  fill("stages", ...s.stages.map(g => el("span", "pill " + tone(g.state === "waiting" ? "" :
    g.state === "running" ? "waiting" : g.state), g.name + (g.detail && g.state !== "done" ? ": " + g.detail : ""))));
  note("trial", s.health && `This version is on trial: ${s.health}`);
  document.querySelector("main").hidden = false;
}

function showServices(list) {
  fill("services", ...list.map(s => {
    const more = [s.detail || s.description, s.restarts ? many(s.restarts, "restart") : ""];
    return el("tr", "", el("td", "", s.name, el("small", "", more.filter(t => t).join(" · "))),
      el("td", "", pill(s.state)), el("td", "num soft", span(s.since_ms)),
      el("td", "num soft", s.memory ? size(s.memory) : ""));
  }));
}

async function poll() {
  try {
    if (!document.hidden) {
      const [s, v] = await Promise.all([ask("/api/v1/status"), ask("/api/v1/services")]);
      answered = Date.now();
      arrive(s);
      status = s;
      showStatus(s);
      showServices(v.services);
    }
  } catch (e) {
    console.log(e.message);
  }
  showBanner();
  setTimeout(poll, EVERY_MS);
}
