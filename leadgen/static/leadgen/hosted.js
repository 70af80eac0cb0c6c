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

  const saveDraft = () => {
    const draft = {};
    for (const control of typed()) {
      if (control.checked === false && /radio|checkbox/.test(control.type)) continue;
      (draft[control.name] ||= []).push(control.value);
    }
    keep("sessionStorage", DRAFT, draft);
  };

  const restoreDraft = () => {
    const draft = read("sessionStorage", DRAFT) || {};
    for (const control of typed()) {
      const values = draft[control.name];
      if (/radio|checkbox/.test(control.type)) control.checked = values ? values.includes(control.value) : control.checked;
      else if (values) control.value = values[0];
    }
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
    setBusy(true);
    setTimeout(setBusy, 15000, false);
  };

  if (!read("localStorage", FIRST_TOUCH)) keep("localStorage", FIRST_TOUCH, thisVisit());
  if (document.querySelector("[data-sent]")) keep("sessionStorage", DRAFT, null);
  if (!form) return;

  const [visit] = performance.getEntriesByType("navigation");
  const answered = document.querySelector(".summary");
  if (visit && visit.type !== "navigate" && !answered) restoreDraft();
  form.addEventListener("input", saveDraft);
  form.addEventListener("submit", send);
  addEventListener("pageshow", () => setBusy(false));
})();
