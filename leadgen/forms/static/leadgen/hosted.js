// Adds to the hosted form what only a browser knows. The page is complete without it.
(() => {
  "use strict";

  const CLICK_IDS = ["gclid", "gbraid", "wbraid", "dclid", "fbclid", "msclkid", "ttclid", "li_fat_id"];
  const FIRST_TOUCH = "leadgen.first_touch";
  const DRAFT = "leadgen.draft:" + location.pathname.replace(/\/thanks\/?$/, "");
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
      if (name.startsWith("utm_")) touch.utm[name.slice(4)] = value.slice(0, 300);
      if (CLICK_IDS.includes(name)) touch.click_ids[name] = value.slice(0, 300);
    }
    return touch;
  };

  const put = (name, value) => {
    let input = form.querySelector(`input[type=hidden][name=${name}]`);
    if (!input) {
      input = document.createElement("input");
      input.type = "hidden";
      input.name = name;
      form.append(input);
    }
    input.value = value;
  };

  const typed = () =>
    [...form.elements].filter((control) => control.name && control.name[0] !== "_" && control.type !== "hidden");

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

  const saveDraft = () => keep("sessionStorage", DRAFT, { visit: current, values: answers() });

  const restoreDraft = () => {
    // Not the draft of a visit before this one, which may have been another person's.
    const values = draft.visit?.id === current.id ? draft.values : {};
    for (const control of typed()) {
      const given = values[control.name];
      if (/radio|checkbox/.test(control.type)) control.checked = given ? given.includes(control.value) : control.checked;
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

  const send = (event) => {
    if (form.hasAttribute("data-busy")) return event.preventDefault();
    put("_first_touch", JSON.stringify(read("localStorage", FIRST_TOUCH) || thisVisit()));
    put("_page_url", location.href);
    put("_elapsed_ms", Math.round(performance.now()));
    // The page brings the referrer of its first look; after a mistake document.referrer is the page itself.
    if (document.referrer && !form.elements._referrer) put("_referrer", document.referrer);
    countAct();
    setBusy(true);
    setTimeout(setBusy, 15000, false);
  };

  if (!read("localStorage", FIRST_TOUCH)) keep("localStorage", FIRST_TOUCH, thisVisit());
  if (document.querySelector("[data-sent]")) keep("sessionStorage", DRAFT, null);
  if (!form) return;

  current = (isReturn && (history.state?.leadgen || draft.visit)) || newVisit();
  keepVisit();
  if (isReturn && !document.querySelector(".summary")) restoreDraft();
  form.addEventListener("input", saveDraft);
  form.addEventListener("submit", send);
  addEventListener("pageshow", () => setBusy(false));
})();
