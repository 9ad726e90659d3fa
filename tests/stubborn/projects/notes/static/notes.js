// As anybody writes it who owns the host: a root path.
fetch("/counted/")
  .then((answer) => answer.json())
  .then(({ counts }) => {
    document.getElementById("counts").textContent = counts.map(([name, notes]) => `${name}: ${notes}`).join(", ");
  });
