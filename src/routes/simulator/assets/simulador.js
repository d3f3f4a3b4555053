// What HTML alone cannot do: stitch changed pieces in without flicker, send on Enter, stay at the newest message.
(function () {
  "use strict";

  const byId = (id) => document.getElementById(id);

  // Replaces one element, keeping what the person was doing in it: focus and opened details.
  function replace(old, fresh, added) {
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    old.querySelectorAll("details[open][id]").forEach((details) => {
      const twin = fresh.querySelector("#" + CSS.escape(details.id));
      if (twin) twin.open = true;
    });
    old.replaceWith(fresh);
    added.push(fresh);
    if (focused && byId(focused)) byId(focused).focus({ preventScroll: true });
  }

  const sameAttributes = (old, fresh) =>
    old.attributes.length === fresh.attributes.length &&
    Array.from(fresh.attributes).every((attribute) => old.getAttribute(attribute.name) === attribute.value);

  // Touches only the smallest part that differs, so that nothing else flickers, loses focus or is read aloud again.
  function patch(old, fresh, added) {
    if (old.nodeName === "DETAILS") fresh.open = old.open;
    if (old.classList.contains("nova")) fresh.classList.add("nova");
    if (old.isEqualNode(fresh)) return;
    const pairs = old.childNodes.length === fresh.childNodes.length ? Array.from(fresh.childNodes) : [];
    if (!pairs.length || old.nodeName !== fresh.nodeName || !sameAttributes(old, fresh)) {
      replace(old, fresh, added);
      return;
    }
    const ours = Array.from(old.childNodes);
    pairs.forEach((child, at) => {
      const mine = ours[at];
      if (mine.nodeType === Node.ELEMENT_NODE && child.nodeType === Node.ELEMENT_NODE) patch(mine, child, added);
      else if (!mine.isEqualNode(child)) mine.replaceWith(child);
    });
  }

  // The list of messages is merged by id: a bubble already drawn is never drawn again.
  function merge(old, fresh, added) {
    const known = new Map(Array.from(old.children, (child) => [child.id, child]));
    let place = old.firstElementChild;
    for (const child of Array.from(fresh.children)) {
      const twin = known.get(child.id);
      known.delete(child.id);
      if (!twin) {
        child.classList.add("nova");
        old.insertBefore(child, place);
        added.push(child);
      } else {
        if (twin !== place) old.insertBefore(twin, place);
        place = twin.nextElementSibling;
        patch(twin, child, added);
      }
    }
    known.forEach((gone) => gone.remove());
  }

  htmx.defineExtension("costura", {
    isInlineSwap: (style) => style === "costura",
    handleSwap: (style, target, fragment) => {
      if (style !== "costura") return false;
      const added = [];
      for (const fresh of Array.from(fragment.children)) {
        const old = byId(fresh.id);
        if (!old) continue;
        if (old.hasAttribute("data-costura")) merge(old, fresh, added);
        else patch(old, fresh, added);
      }
      return added;
    },
  });

  // The scroller is reversed: zero is its bottom, and it stays there by itself unless somebody scrolled up.
  const toNewest = () => { byId("rolagem").scrollTop = 0; };

  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "texto" || event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (event.target.value.trim()) byId("compor").requestSubmit();
  });

  document.addEventListener("htmx:beforeSend", (event) => {
    if (event.detail.elt.id !== "compor") return;
    const box = byId("texto");
    box.dataset.sent = box.value;
    box.value = "";
    box.focus();
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const posted = event.detail.requestConfig && event.detail.requestConfig.verb === "post";
    byId("semrede").hidden = event.detail.successful || event.detail.xhr.status !== 0;
    if (event.detail.elt.id === "compor" && !event.detail.successful) {
      const box = byId("texto");
      if (!box.value) box.value = box.dataset.sent || "";
    }
    if (posted) toNewest();
  });

  // On a telephone the keyboard would hide the conversation the page opens with.
  if (window.matchMedia("(pointer: coarse)").matches && document.activeElement) document.activeElement.blur();
})();
