import { Form, Link, Outlet, isRouteErrorResponse, redirect, useLoaderData, useNavigation, useRouteError } from "react-router";
import logo from "./logo.svg";

export function Frame() {
  const busy = useNavigation().state !== "idle";
  return (
    <>
      <header>
        <img src={logo} alt="logo" />
        <nav>
          <Link to="/">Home</Link>
          <Link to="/notes">Notes</Link>
          <Link to="/pets/1">The cat</Link>
          <Link to="/pets/99">Nobody</Link>
          <Link to="/about">About</Link>
        </nav>
      </header>
      <main aria-busy={busy}>
        <Outlet />
      </main>
    </>
  );
}

export function Home() {
  return <h1>Home</h1>;
}

export async function findNotes() {
  return (await fetch(new Request("/api/notes"))).json();
}

export async function addNote({ request }) {
  const form = await request.formData();
  await fetch("/api/notes", { method: "POST", body: new URLSearchParams({ text: form.get("text") }) });
  return redirect("/notes");
}

export function Notes() {
  const notes = useLoaderData();
  return (
    <>
      <h1>Notes</h1>
      <Form method="post">
        <input name="text" placeholder="Text" />
        <button>Add</button>
      </Form>
      <p>{notes.length} kept</p>
      <ol>
        {notes.map((note, index) => (
          <li key={index}>{note}</li>
        ))}
      </ol>
    </>
  );
}

export async function findPet({ params }) {
  const answer = await fetch(location.origin + "/api/pets/" + params.id);
  if (!answer.ok) throw new Response("Nobody of that number", { status: answer.status });
  return answer.json();
}

export function Pet() {
  const pet = useLoaderData();
  return (
    <>
      <h1>{pet.name}</h1>
      <img src={pet.photo} alt="photo" />
    </>
  );
}

export function Failed() {
  const error = useRouteError();
  return <h1>{isRouteErrorResponse(error) ? error.data : String(error)}</h1>;
}
