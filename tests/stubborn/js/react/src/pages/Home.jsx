import { useEffect, useState } from "react";

export default function Home() {
  const [ticks, setTicks] = useState([]);
  useEffect(() => {
    const source = new EventSource("/api/ticks");
    source.onmessage = (event) => {
      setTicks((known) => [...known, event.data]);
      if (event.data === "three") source.close();
    };
    return () => source.close();
  }, []);
  return (
    <>
      <h1>Home</h1>
      <p>Ticks: {ticks.slice(-3).join(" ")}</p>
    </>
  );
}
