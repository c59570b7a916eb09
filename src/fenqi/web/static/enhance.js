// Small conveniences over pages that work without them: a countdown, steppers, and forms that are sent once.
"use strict";

for (const place of document.querySelectorAll("[data-countdown]")) {
  const ahead = Date.parse(place.dataset.countdown) - Date.parse(place.dataset.now);
  const until = performance.now() + ahead;
  const tick = () => {
    const left = Math.max(0, Math.floor((until - performance.now()) / 1000));
    place.textContent = `${String(Math.floor(left / 60)).padStart(2, "0")}:${String(left % 60).padStart(2, "0")}`;
    if (left > 0) setTimeout(tick, 1000);
    else location.reload();
  };
  if (ahead > 0 && ahead <= 3600000) tick();
}

for (const stepper of document.querySelectorAll("[data-stepper]")) {
  const input = stepper.querySelector("input");
  const button = (words, by) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = words;
    made.setAttribute("aria-hidden", "true");
    made.tabIndex = -1;
    made.addEventListener("click", () => {
      const least = Number(input.min), most = Number(input.max);
      const next = Math.min(most, Math.max(least, Number(input.value) + by));
      if (next === Number(input.value)) return;
      input.value = next;
      if ("submit" in stepper.dataset) input.form.requestSubmit(input.form.querySelector("button[name=then]"));
    });
    return made;
  };
  stepper.prepend(button("−", -1));
  stepper.append(button("+", 1));
}

for (const spare of document.querySelectorAll("[data-hide-with-script]")) spare.classList.add("visually-hidden");

for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
    form.setAttribute("aria-busy", "true");
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// A payment under way: go on to the channel, hand over to the app's own sheet, and look for news until there is some.
for (const way of document.querySelectorAll("[data-go]")) {
  history.replaceState(null, "", location.pathname);
  if (way instanceof HTMLFormElement) way.submit();
  else location.assign(way.href);
}

for (const place of document.querySelectorAll("[data-sheet]")) {
  const open = () => WeixinJSBridge.invoke("getBrandWCPayRequest", JSON.parse(place.dataset.sheet), () => location.reload());
  if (window.WeixinJSBridge) open();
  else document.addEventListener("WeixinJSBridgeReady", open, { once: true });
}

for (const place of document.querySelectorAll("[data-poll]")) {
  let waits = 0;
  const look = async () => {
    clearTimeout(waits);
    try {
      const answer = await fetch(place.dataset.poll, { headers: { accept: "application/json" } });
      const known = answer.ok && !answer.redirected;
      if (!known || (await answer.json()).mark !== place.dataset.mark) return location.replace(location.pathname);
    } catch {
      // Offline for a moment: the next look tells.
    }
    waits = setTimeout(look, 2500);
  };
  waits = setTimeout(look, 2500);
  document.addEventListener("visibilitychange", () => document.hidden || look());
}

// A form that is judged while it is filled in: what would be wrong with it, and what it says in words.
for (const form of document.querySelectorAll("form[data-check]")) {
  const place = document.getElementById("judged");
  let waits = 0, last = 0;
  const judge = async () => {
    const turn = ++last;
    const answer = await fetch(form.dataset.check, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (answer.ok && turn === last) place.innerHTML = await answer.text();
  };
  form.addEventListener("input", () => {
    clearTimeout(waits);
    waits = setTimeout(judge, 250);
  });
}

// A text to say to somebody: copied whole by its button, which shows only where that works.
for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.setAttribute("aria-pressed", "true");
  });
}

// A field that narrows a list as one types; without script the list is whole and has anchors.
for (const field of document.querySelectorAll("[data-filter]")) {
  field.hidden = false;
  const input = field.querySelector("input"), none = document.querySelector(field.dataset.none);
  const rows = [...document.querySelectorAll(field.dataset.filter)].map((row) => [row, row.textContent.toLowerCase()]);
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase().split(/\s+/);
    let found = 0;
    for (const [row, words] of rows) {
      row.hidden = !wanted.every((one) => words.includes(one));
      if (!row.hidden) found += 1;
    }
    for (const group of document.querySelectorAll("[data-group]")) {
      group.hidden = !group.querySelector(`${field.dataset.filter}:not([hidden])`);
    }
    none.hidden = found > 0;
  });
}
