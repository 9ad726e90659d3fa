import { useEffect, useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";

export default function List() {
  const [query] = useSearchParams();
  const navigate = useNavigate();
  const [pets, setPets] = useState(null);
  const asked = query.get("q") ?? "";
  useEffect(() => {
    let current = true;
    fetch("/api/pets?q=" + encodeURIComponent(asked))
      .then((answer) => answer.json())
      .then((found) => current && setPets(found));
    return () => {
      current = false;
    };
  }, [asked]);
  const search = (event) => {
    event.preventDefault();
    navigate("/list?q=" + encodeURIComponent(new FormData(event.target).get("q")));
  };
  return (
    <>
      <h1>List</h1>
      <form onSubmit={search}>
        <input name="q" placeholder="Name" />
        <button>Search</button>
      </form>
      {pets && <p>{pets.length} found</p>}
      <ul>
        {pets?.map((pet) => (
          <li key={pet.id}>
            <img src={pet.photo} alt="" />
            <Link to={"/list/" + pet.id}>{pet.name}</Link>
          </li>
        ))}
      </ul>
    </>
  );
}
