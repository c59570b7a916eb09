// A back-test under way: the bar moves by itself; the page comes anew when it has ended.
"use strict";

for (const place of document.querySelectorAll("[data-progress]")) {
  const bar = place.querySelector("progress"), words = place.querySelector("[role=status]");
  const look = async () => {
    try {
      const answer = await fetch(place.dataset.progress, { headers: { accept: "application/json" } });
      const far = answer.ok && !answer.redirected ? await answer.json() : null;
      if (!far || !far.is_open) return location.reload();
      bar.value = far.percent;
      if (far.percent) words.textContent = far.words;
    } catch {
      // Offline for a moment: the next look tells.
    }
    setTimeout(look, 700);
  };
  setTimeout(look, 700);
}
