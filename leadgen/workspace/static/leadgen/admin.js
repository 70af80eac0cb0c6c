// The workspace's keys and buttons beyond plain HTML. Everything else works without this file.

// A row of an ordered list moves by its buttons; unfold's sortRecords writes the positions.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-move]");
  if (!button) return;
  const row = button.closest(".form-group");
  const up = button.dataset.move === "up";
  const other = up ? row.previousElementSibling : row.nextElementSibling;
  if (!other?.matches(".form-group.original")) return;
  if (up) other.before(row);
  else other.after(row);
  window.sortRecords({ from: row.parentElement });
  button.focus();
});

// Ctrl+Enter (on a Mac also Cmd+Enter) sends a note.
document.addEventListener("keydown", (event) => {
  const wanted = event.key === "Enter" && (event.ctrlKey || event.metaKey);
  const form = wanted && event.target.closest("form.ws-composer");
  if (form) form.requestSubmit();
});
