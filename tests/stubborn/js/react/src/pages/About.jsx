import { useEffect, useState } from "react";
import "./about.css";

export default function About() {
  const [sum, setSum] = useState(null);
  useEffect(() => {
    const worker = new Worker(new URL("./adder.js", import.meta.url), { type: "module" });
    worker.onmessage = (event) => setSum(event.data);
    worker.postMessage([1, 2, 3]);
    return () => worker.terminate();
  }, []);
  return (
    <>
      <h1 className="about">About</h1>
      {sum && <p>A worker counted {sum}.</p>}
    </>
  );
}
