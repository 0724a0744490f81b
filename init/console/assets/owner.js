/* The owner. What changes something carries a text that only a page of this box can know. */
let csrf = "";
function showOwner(a) {
  csrf = a.session ? a.csrf : "";
  document.body.classList.toggle("owned", a.session);
  $("first").hidden = a.owner;
  $("login").hidden = !a.owner || a.session;
  $("hint").hidden = a.session;
}
async function post(path, body) {
  const r = await fetch(path, { method: "POST", body: JSON.stringify(body), signal: AbortSignal.timeout(COMMAND_MS),
    headers: { "Content-Type": "application/json", ...(csrf && { "X-Hearth-CSRF": csrf }) } });
  const a = await r.json();
  if (r.status === 401 && csrf) askOwner();
  if (!r.ok) throw new Error(a.error);
  return a;
}
const act = (...words) => post("/api/v1/command", { words });

/* Asking counts as using the session: only when somebody looks. */
async function askOwner() {
  try {
    showOwner(await ask("/api/v1/session"));
  } catch (e) {
    say("owner-says", "Logging in is not possible now.");
    setTimeout(askOwner, PATIENCE_MS);
  }
}
for (const [id, path, done] of [["first", "/api/v1/session/first", "The password is set."],
    ["login", "/api/v1/session", ""], ["logout", "/api/v1/session/end", "Logged out."]])
  $(id).addEventListener("submit", async ev => {
    const form = ev.target, button = form.querySelector("button");
    ev.preventDefault();
    button.disabled = true;
    try {
      showOwner(await post(path, Object.fromEntries(new FormData(form))));
      say("owner-says", done, true);
      form.reset();
    } catch (e) {
      say("owner-says", e.message);
      if (id === "logout") askOwner();
    }
    button.disabled = false;
  });

/* A button that does something to the box; what comes of it is said in `says`. */
function onPress(id, says, work) {
  $(id).addEventListener("click", async () => {
    $(id).disabled = true;
    try {
      await work();
    } catch (e) {
      say(says, e.message);
    }
    $(id).disabled = false;
  });
}
/* Asks first; then a command that ends this run of the box. */
async function end(title, text, yes, why, ...words) {
  if (!await sure(title, text + " What runs on the box stops meanwhile.", yes, true)) return;
  await act(...words);
  leave(why);
}
onPress("reboot", "owner-says", () => end("Restart the box?", "It starts again with the version that it runs now, or " +
  "with one that has just been installed.", "Restart", "The box restarts", "reboot"));
