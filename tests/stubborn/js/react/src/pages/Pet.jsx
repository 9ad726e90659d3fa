import { useEffect, useState } from "react";
import { useParams } from "react-router";

function ask(url, then) {
  const request = new XMLHttpRequest();
  request.open("GET", url);
  request.onload = () => then(JSON.parse(request.responseText));
  request.send();
}

export default function Pet() {
  const { id } = useParams();
  const [pet, setPet] = useState(null);
  useEffect(() => ask(`/api/pets/${id}`, setPet), [id]);
  if (!pet) return <p>One moment…</p>;
  return (
    <>
      <h1>{pet.name}</h1>
      <p>Number {pet.id}</p>
      <div dangerouslySetInnerHTML={{ __html: `<img src="${pet.photo}" alt="photo"> <a href="/list">All pets</a>` }} />
    </>
  );
}
