/* Events: what is kept first, then live; after each gap what was missed. A smaller number than ours: the box is new. */
let next = 0;
function addEvent(v) {
  if (v.seq < next) return;
  next = v.seq + 1;
  const t = v.kind === "problem" ? "bad" : v.kind === "system" ? "good" : "off";
  $("events").prepend(el("li", "", el("time", "", v.time.slice(11, 19)), el("span", "pill " + t, v.name), " ", v.text));
  while ($("events").children.length > EVENTS) $("events").lastChild.remove();
}
async function catchUp() {
  try {
    let a = await ask("/api/v1/events");
    if (a.next < next) {
      next = 0;
      fill("events");
    }
    if (next && next >= a.oldest && a.events.length && a.events[0].seq > next)
      a = await ask("/api/v1/events?from=" + next);
    a.events.forEach(addEvent);
  } catch (e) {
    console.log(e.message);
  }
}
function listen() {
  const stream = new EventSource("/api/v1/events/stream");
  stream.onopen = catchUp;
  stream.onmessage = m => addEvent(JSON.parse(m.data));
  stream.onerror = () => {
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 5000);
  };
}

