// The captions page: committed words come over a WebSocket and are put at the end. Nothing that
// has been shown is ever changed. The key stands behind the "#", which no server is told.
"use strict";

const KEPT = 400; // paragraphs on the page
const SIZES = [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3];
const WAITS_MS = [500, 1000, 2000, 4000, 8000];
const QUIET_MS = 3000; // after which a sentence without a full stop is read out, too

const options = new URLSearchParams(location.hash.slice(1));
const captions = document.getElementById("captions");
const spoken = document.getElementById("spoken");
const state = document.getElementById("state");
const latest = document.getElementById("latest");
const style = document.getElementById("style");
const words = JSON.parse(document.getElementById("words").textContent);

let run = null; // whose numbers these are
let last = -1; // the last that was shown
let tries = 0;
let following = true;
let sentence = "";
let quiet = 0;

function remembered(name, usual) {
  try { return localStorage.getItem(name) || usual; } catch { return usual; }
}

function remember(name, value) {
  try { localStorage.setItem(name, value); } catch { /* a private window keeps nothing */ }
}

// --- words ------------------------------------------------------------------------------------

function paragraph(kind) {
  const made = document.createElement("p");
  if (kind) made.className = kind;
  captions.append(made);
  while (following && captions.childElementCount > KEPT) captions.firstElementChild.remove();
  return made;
}

function showWord(item) {
  let into = captions.lastElementChild;
  if (item.fresh || !into || into.classList.contains("gap")) {
    into = paragraph(item.lane === "me" && item.name ? "me" : "");
    if (item.language) into.lang = item.language;
    into.dir = "auto";
    if (item.name) {
      const name = document.createElement("b");
      name.textContent = item.name + ": ";
      into.append(name);
    }
  }
  into.append(item.text);
  if (item.ends) readOut();
  sentence += item.text;
  clearTimeout(quiet);
  quiet = setTimeout(readOut, QUIET_MS);
}

function readOut() {
  if (!sentence.trim()) return;
  const line = document.createElement("p");
  line.textContent = sentence.trim();
  spoken.append(line);
  while (spoken.childElementCount > 3) spoken.firstElementChild.remove();
  sentence = "";
}

function take(item) {
  if (item.kind === "state") {
    state.textContent = item.text;
    state.classList.toggle("trouble", item.trouble);
    return;
  }
  if (item.kind === "look") return applyLook(item);
  if (item.kind === "hello") {
    if (run !== null && run !== item.run) last = -1; // Voxline was started anew
    run = item.run;
    return;
  }
  if (item.n <= last) return;
  last = item.n;
  if (item.kind === "gap") paragraph("gap").textContent = item.text;
  else showWord(item);
  if (following) captions.scrollTop = captions.scrollHeight;
}

// --- the connection ---------------------------------------------------------------------------

function connect() {
  const key = options.get("key") || "";
  if (!key) return tellTrouble(words.no_key);
  const socket = new WebSocket(`ws://${location.host}/captions`, ["realtime", `voxline-key.${key}`]);
  let opened = false;
  socket.onopen = () => {
    opened = true;
    tries = 0;
    socket.send(JSON.stringify({ run, after: last, language: document.documentElement.lang }));
  };
  socket.onmessage = (event) => take(JSON.parse(event.data));
  socket.onclose = (event) => {
    const wait = WAITS_MS[Math.min(tries++, WAITS_MS.length - 1)];
    if (event.code === 1013) tellTrouble(words.full);
    else if (opened) tellTrouble(words.lost);
    else tellTrouble(words.silent);
    setTimeout(connect, wait * (0.75 + Math.random() / 2));
  };
}

function tellTrouble(text) {
  state.textContent = text;
  state.classList.add("trouble");
}

// --- how it looks -----------------------------------------------------------------------------

function setSize(size) {
  document.documentElement.style.setProperty("--size", size);
  remember("size", size);
  if (following) captions.scrollTop = captions.scrollHeight;
}

function stepSize(by) {
  const now = Number(document.documentElement.style.getPropertyValue("--size")) || 1;
  const at = SIZES.reduce((best, s, i) => Math.abs(s - now) < Math.abs(SIZES[best] - now) ? i : best, 0);
  setSize(SIZES[Math.max(0, Math.min(SIZES.length - 1, at + by))]);
}

function setStyle(name) {
  document.body.dataset.style = name;
  if ([...style.options].some((option) => option.value === name)) style.value = name;
  showLook();
}

let look = null;

function applyLook(item) {
  look = item;
  showLook();
}

function showLook() {
  const root = document.body.style;
  const own = document.body.dataset.style === "app" && look;
  for (const name of ["text", "ground", "page", "usual", "edge", "weight"]) {
    if (own && look[name]) root.setProperty(`--${name}`, look[name]);
    else root.removeProperty(`--${name}`);
  }
}

captions.addEventListener("scroll", () => {
  following = captions.scrollHeight - captions.scrollTop - captions.clientHeight < 8;
  latest.hidden = following;
});
latest.addEventListener("click", () => {
  following = true;
  latest.hidden = true;
  captions.scrollTop = captions.scrollHeight;
  captions.focus();
});
document.getElementById("smaller").addEventListener("click", () => stepSize(-1));
document.getElementById("bigger").addEventListener("click", () => stepSize(1));
style.addEventListener("change", () => { setStyle(style.value); remember("style", style.value); });
addEventListener("resize", () => { if (following) captions.scrollTop = captions.scrollHeight; });

if (options.has("obs")) {
  document.body.classList.add("obs");
  document.documentElement.style.setProperty("--lines", options.get("lines") || "2");
}
setStyle(options.get("style") || remembered("style", "classic"));
setSize(options.get("size") || remembered("size", "1"));
connect();
