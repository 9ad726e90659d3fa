import { createRoot } from "react-dom/client";
import { createBrowserRouter } from "react-router";
import { RouterProvider } from "react-router/dom";
import { Failed, Frame, Home, Notes, Pet, addNote, findNotes, findPet } from "./pages.jsx";
import "./main.css";

const router = createBrowserRouter([
  {
    path: "/",
    element: <Frame />,
    errorElement: <Failed />,
    hydrateFallbackElement: <p>One moment…</p>,
    children: [
      { index: true, element: <Home /> },
      { path: "notes", loader: findNotes, action: addNote, element: <Notes /> },
      { path: "pets/:id", loader: findPet, element: <Pet />, errorElement: <Failed /> },
      { path: "old", loader: () => Response.redirect(new URL("/notes", location.href)) },
      { path: "about", lazy: () => import("./about.jsx") },
    ],
  },
]);

createRoot(document.getElementById("root")).render(<RouterProvider router={router} />);
