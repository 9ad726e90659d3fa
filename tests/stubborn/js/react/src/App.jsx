import { lazy, Suspense } from "react";
import { NavLink, Route, Routes } from "react-router";
import Home from "./pages/Home.jsx";
import List from "./pages/List.jsx";
import Pet from "./pages/Pet.jsx";
import logo from "./logo.svg";

const About = lazy(() => import("./pages/About.jsx"));

export default function App() {
  return (
    <>
      <header>
        <img src={logo} alt="logo" />
        <nav>
          <NavLink to="/">Home</NavLink>
          <NavLink to="/list">List</NavLink>
          <NavLink to="/about">About</NavLink>
          <a href="/list/2">The dog</a>
        </nav>
      </header>
      <main>
        <Suspense fallback={<p>One moment…</p>}>
          <Routes>
            <Route path="/" element={<Home />} />
            <Route path="/list" element={<List />} />
            <Route path="/list/:id" element={<Pet />} />
            <Route path="/about" element={<About />} />
            <Route path="*" element={<h1>No such page</h1>} />
          </Routes>
        </Suspense>
      </main>
    </>
  );
}
