// Root paths in every way a page of this kind asks for more.
const shown = document.getElementById("prices");
fetch("/api/prices")
  .then((answer) => answer.json())
  .then(({ prices, next }) => {
    const request = new XMLHttpRequest();
    request.open("GET", next);
    request.onload = () => {
      shown.innerHTML = Object.entries(prices).map(([good, price]) => `<a href="/goods/${good}">${good} ${price}</a>`).join(", ");
    };
    request.send();
  });
