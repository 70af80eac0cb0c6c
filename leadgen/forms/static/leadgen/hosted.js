// Adds to the hosted form what only a browser knows. The page is complete without it.
(() => {
  "use strict";

  const CLICK_IDS = ["gclid", "gbraid", "wbraid", "dclid", "fbclid", "msclkid", "ttclid", "li_fat_id"];
  const FIRST_TOUCH = "leadgen.first_touch";
  const DRAFT = "leadgen.draft:" + location.pathname.replace(/\/thanks\/?$/, "");
  const SENDING = "leadgen.sending";
  const SECONDS = 20;
  const form = document.querySelector("form");

  // A browser may deny storage altogether: then nothing is kept, and nothing breaks.
  const read = (area, key) => {
    try {
      return JSON.parse(window[area].getItem(key));
    } catch {
      return null;
    }
  };
  const keep = (area, key, value) => {
    try {
      window[area].setItem(key, JSON.stringify(value));
    } catch {}
  };

  const thisVisit = () => {
    const touch = {
      at: new Date().toISOString(),
      page_url: location.href.slice(0, 2000),
      referrer: document.referrer.slice(0, 2000),
      utm: {},
      click_ids: {},
    };
    for (const [name, value] of new URLSearchParams(location.search)) {
      const mark = name.toLowerCase();
      if (mark.startsWith("utm_")) touch.utm[mark.slice(4)] ??= value.slice(0, 300);
      if (CLICK_IDS.includes(mark)) touch.click_ids[mark] ??= value.slice(0, 300);
    }
    return touch;
  };

  const put = (name, value) => {
    let input = form.querySelector(`input[type=hidden][name=${name}]`);
    if (!input) {
      input = document.createElement("input");
      input.type = "hidden";
      input.name = name;
      form.appendChild(input);
    }
    input.value = value;
  };

  // A field may have the name of any property in lower case, such as elements, append or submit: they
  // hide the form's own, so that only names with capitals and methods of the prototype are safe.
  const typed = () =>
    [...form.querySelectorAll("input,select,textarea")].filter((control) => control.name && control.name[0] !== "_" && control.type !== "hidden");

  const answers = () => {
    const values = {};
    for (const control of typed()) {
      if (control.checked === false && /radio|checkbox/.test(control.type)) continue;
      (values[control.name] ||= []).push(control.value);
    }
    return values;
  };

  // One entry of the browser's history is one visit: Back and reload return to it, a link starts another one.
  const [arrival] = performance.getEntriesByType("navigation");
  const isReturn = !!arrival && arrival.type !== "navigate";
  const draft = read("sessionStorage", DRAFT) || {};
  const newVisit = () => {
    const again = (name) => form.querySelector(`input[type=hidden][name=${name}]`)?.value;
    const id = () => [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join("-");
    return { id: again("_visit") || id(), act: Number(again("_act")) || 1, sent: null };
  };
  let current;
  const keepVisit = () => {
    try {
      history.replaceState({ ...history.state, leadgen: current }, "");
    } catch {}
  };

  // An unsent draft is one that was sent and not confirmed: it stays until a send is confirmed.
  let unsent = !!draft.unsent;
  const saveDraft = () => keep("sessionStorage", DRAFT, { visit: current, values: answers(), unsent });
  const forget = (key) => keep("sessionStorage", key, null);

  const restoreDraft = () => {
    // Not the draft of a visit before this one, which may have been another person's.
    if (draft.visit?.id !== current.id) return;
    for (const control of typed()) {
      const given = draft.values[control.name];
      if (/radio|checkbox/.test(control.type)) control.checked = !!given?.includes(control.value);
      else if (given) control.value = given[0];
    }
  };

  // The same answers again are the same act of the visit, and changed ones are its next act.
  const countAct = () => {
    const text = JSON.stringify(answers());
    let hash = 0;
    for (let place = 0; place < text.length; place++) hash = (Math.imul(hash, 31) + text.charCodeAt(place)) | 0;
    const content = `${hash}:${text.length}`;
    if (current.sent && current.sent !== content) current.act += 1;
    current.sent = content;
    keepVisit();
    put("_visit", current.id);
    put("_act", current.act);
  };

  const setBusy = (busy) => {
    form.toggleAttribute("data-busy", busy);
    form.setAttribute("aria-busy", busy);
    form.querySelector("[type=submit]").setAttribute("aria-disabled", busy);
  };

  const showUnsent = (shown) => {
    const notice = document.querySelector("[data-unsent]");
    notice.hidden = !shown;
    if (shown) notice.focus();
  };

  // For the next person at this device.
  const clear = () => {
    HTMLFormElement.prototype.reset.call(form);
    for (const input of form.querySelectorAll("[name=_visit],[name=_act]")) input.remove();
    unsent = false;
    current = newVisit();
    keepVisit();
    forget(DRAFT);
    showUnsent(false);
    typed()[0]?.focus();
  };

  const post = () => {
    setTimeout(setBusy, 15000, false);
    HTMLFormElement.prototype.submit.call(form);
  };

  let failures = 0;
  const fail = () => {
    failures += navigator.onLine ? 1 : 0;
    setBusy(false);
    showUnsent(true);
  };

  // By fetch, so that a lost connection leaves the page as it is. The server's own page shows any
  // other answer than thanks; a post that fails twice is left to the browser.
  const deliver = async () => {
    let answer;
    try {
      const body = new URLSearchParams(new FormData(form));
      const signal = AbortSignal.timeout(SECONDS * 1000);
      answer = await fetch(location.pathname + "?", { method: "POST", body, signal });
    } catch {
      return fail();
    }
    if (/\/thanks$/.test(new URL(answer.url).pathname)) {
      forget(DRAFT);
      unsent = false;
      showUnsent(false);
      return location.assign(answer.url);
    }
    return answer.status === 429 || answer.status >= 500 ? fail() : post();
  };

  const send = (event) => {
    event.preventDefault();
    if (form.hasAttribute("data-busy")) return;
    put("_first_touch", JSON.stringify(read("localStorage", FIRST_TOUCH) || thisVisit()));
    put("_page_url", location.href);
    put("_elapsed_ms", Math.round(performance.now()));
    // The page brings the referrer of its first look; after a mistake document.referrer is the page itself.
    if (document.referrer && !form.querySelector("[name=_referrer]")) put("_referrer", document.referrer);
    countAct();
    unsent = true;
    saveDraft();
    keep("sessionStorage", SENDING, DRAFT);
    setBusy(true);
    if (failures > 1 || !AbortSignal.timeout) post();
    else deliver();
  };

  if (!read("localStorage", FIRST_TOUCH)) keep("localStorage", FIRST_TOUCH, thisVisit());
  if (document.querySelector("[data-sent]")) {
    forget(DRAFT);
    // The form may have got another address since its page was opened.
    const sent = read("sessionStorage", SENDING);
    if (sent) forget(sent);
  }
  if (!form) return;

  const hasMistakes = !!document.querySelector(".summary[role=alert]");
  const isUnsent = unsent && !hasMistakes;
  current = (isUnsent && draft.visit) || (isReturn && (history.state?.leadgen || draft.visit)) || newVisit();
  keepVisit();
  if ((isReturn || isUnsent) && !hasMistakes) restoreDraft();
  if (isUnsent) showUnsent(true);
  form.addEventListener("input", saveDraft);
  form.addEventListener("submit", send);
  document.querySelector("[data-clear]").addEventListener("click", clear);
  addEventListener("pageshow", () => setBusy(false));
})();
