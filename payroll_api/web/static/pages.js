// Upload progress, live figures, and no double sending. Every page works without this file.
"use strict";

const find = (selector, root = document) => Array.from(root.querySelectorAll(selector));

// A form is sent once: a second press while the first is under way does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  find("button", form).forEach((button) => button.setAttribute("aria-disabled", "true"));
  if (form.dataset.upload !== undefined) upload(event, form);
});

// Coming back with the browser's Back button finds a form that can be sent again.
window.addEventListener("pageshow", () => find("form").forEach(freed));

function freed(form) {
  delete form.dataset.sent;
  find("button", form).forEach((button) => button.removeAttribute("aria-disabled"));
}

// Send the file with a bar. A refusal is shown above the form, which keeps what was typed and chosen.
function upload(event, form) {
  event.preventDefault();
  const bar = form.querySelector("[data-upload-bar]");
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("Accept", "text/html");
  request.upload.addEventListener("progress", (now) => {
    if (!now.lengthComputable) return;
    bar.hidden = false;
    bar.querySelector("progress").max = now.total;
    bar.querySelector("progress").value = now.loaded;
    bar.querySelector("output").value = `${Math.floor((100 * now.loaded) / now.total)} %`;
  });
  const lost = () => {
    freed(form);
    bar.hidden = true;
    say(form.dataset.lost, form);
  };
  request.addEventListener("error", lost);
  request.addEventListener("timeout", lost);
  request.addEventListener("load", () => {
    if (request.status < 400) {
      window.location.assign(request.responseURL);
      return;
    }
    freed(form);
    bar.hidden = true;
    const answer = new DOMParser().parseFromString(request.responseText, "text/html");
    const notice = answer.querySelector("[data-problem]");
    if (notice) show(notice, form);
    else say(form.dataset.lost, form);
  });
  request.send(new FormData(form));
}

function say(text, form) {
  const notice = document.createElement("div");
  notice.className = "notice bad";
  notice.textContent = text;
  show(notice, form);
}

function show(notice, form) {
  find("[data-problem]").forEach((old) => old.remove());
  notice.setAttribute("data-problem", "");
  notice.setAttribute("role", "alert");
  notice.tabIndex = -1;
  form.before(notice);
  notice.focus();
}

// Parts marked data-live are fetched again from the page itself, every so many seconds, until they are no longer marked.
let timer = 0;

async function refresh() {
  window.clearTimeout(timer);
  const live = document.querySelector("[data-live]");
  if (!live) return;
  try {
    const answer = await fetch(window.location.href, { headers: { Accept: "text/html" } });
    if (answer.ok && !answer.redirected) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const parts = (root) => find("[data-part]", root).map((part) => part.id).join();
      if (live.dataset.liveWhole !== undefined && (!page.querySelector("[data-live]") || parts(page) !== parts(document))) {
        window.location.reload(); // what was waited for has come, with parts of the page that were not there before
        return;
      }
      for (const old of find("[data-part]")) {
        const fresh = page.getElementById(old.id);
        if (fresh && !old.contains(document.activeElement) && fresh.outerHTML !== old.outerHTML) old.replaceWith(document.adoptNode(fresh));
      }
    }
  } catch {
    // The line is down: the figures stay as they are, and the next try comes by itself.
  }
  wait();
}

function wait() {
  const live = document.querySelector("[data-live]");
  if (live) timer = window.setTimeout(refresh, 1000 * Number(live.dataset.live));
}

// While a run is paid the server tells each step; bars move at once, and the rest of the page follows.
function listen(place) {
  const source = new EventSource(place.dataset.progress);
  let told = "";
  source.addEventListener("message", (event) => {
    const news = JSON.parse(event.data);
    for (const stage of news.stages) {
      const bar = document.querySelector(`[data-stage="${stage.name}"] progress`);
      if (!bar) continue;
      bar.max = Math.max(1, stage.total);
      bar.value = stage.done;
      bar.parentElement.querySelector("output").value = `${stage.done.toLocaleString("en")} / ${stage.total.toLocaleString("en")}`;
    }
    if (told && told !== event.data) refresh();
    told = event.data;
  });
  source.addEventListener("error", () => source.close()); // the page is fetched again anyway
}

find("[data-progress]").forEach(listen);
find("[data-print]").forEach((button) => {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
});
find("[data-submit-on-change]").forEach((field) => field.addEventListener("change", () => field.form.requestSubmit()));
wait();
