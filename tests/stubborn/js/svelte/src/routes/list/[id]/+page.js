export const prerender = false;
export const ssr = false;

export async function load({ fetch, params }) {
  return (await fetch(`/api/pets/${params.id}`)).json();
}
