// Who is looking for a home. Plain values; nothing here knows about the web.
export const PETS = [
  { id: 1, name: "Captain", kind: "dog", age: "7 years", fur: "#b98a5a", ear: "#7d5632", line: "Knows every boat by its engine.", story: "Captain lived on the ferry until the ferry retired. He greets at doors, barks at seagulls only on principle, and sleeps best where he can hear water.", needs: ["A walk along the water", "Somebody at home", "No seagulls indoors"] },
  { id: 2, name: "Miso", kind: "cat", age: "3 years", fur: "#e0a35e", ear: "#c47c3a", line: "Will sit on whatever you are reading.", story: "Miso was born behind the noodle bar and has opinions about broth. She likes shelves, sunlight from two to four, and people who type.", needs: ["A high shelf", "A window to the south", "Patience with keyboards"] },
  { id: 3, name: "Thunder", kind: "tortoise", age: "61 years", fur: "#8a9a5b", ear: "#5d6b3a", line: "Slow to judge, slow to everything.", story: "Thunder came with a house that was sold twice. He remembers both owners and prefers dandelions. Please have plans for the next sixty years.", needs: ["A garden with a wall", "Dandelions", "A will"] },
  { id: 4, name: "Pim", kind: "rabbit", age: "1 year", fur: "#d9cfc2", ear: "#e7b4a8", line: "Digs. Mostly where it is allowed.", story: "Pim is the quick one of a litter of seven. He can open two kinds of latch, and comes when a bag rustles.", needs: ["A friend of his kind", "Something to dig", "Cables out of reach"] },
  { id: 5, name: "Doktor", kind: "dog", age: "10 years", fur: "#4f4a48", ear: "#2f2b2a", line: "Retired from the harbour police with honours.", story: "Doktor found four suitcases and one mayor. Now he would like a carpet, a garden and one person who throws a ball badly, so that he can explain.", needs: ["Ground floor", "A carpet", "Stories in the evening"] },
  { id: 6, name: "Contessa", kind: "hen", age: "2 years", fur: "#c65b3f", ear: "#e8c15a", line: "Lays on Tuesdays, walks in like she pays the rent.", story: "Contessa escaped from a cooking show. She likes company, compost and being addressed properly.", needs: ["Two other hens", "A dry coop", "Compost"] },
  { id: 7, name: "Smudge", kind: "cat", age: "6 years", fur: "#6c7480", ear: "#4c535d", line: "Quiet, until the tin opener.", story: "Smudge kept the chandler’s shop free of mice for five years. She is shy for an afternoon, and then never again.", needs: ["A quiet first week", "A basket by the stove"] },
  { id: 8, name: "Barnacle", kind: "dog", age: "5 months", fur: "#e9e2d4", ear: "#a5714a", line: "All paws, no plan.", story: "Barnacle was found in a lifeboat, which he still considers his. He learns fast, mostly the wrong things first.", needs: ["Time for school", "Shoes in a cupboard", "A second towel"] },
  { id: 9, name: "Tofu", kind: "rabbit", age: "4 years", fur: "#f1ece4", ear: "#efc3bd", line: "Soft, calm, unimpressed.", story: "Tofu has lived with a drummer and is afraid of nothing. She would like a room of her own and the crusts of your toast.", needs: ["A run of four metres", "Hay, always", "Crusts"] },
];

// Who wrote, from where they live now.
export const LETTERS = [
  [1, "I greet every guest of the ferry café. They have given me a hat."],
  [3, "The garden has a wall. I expect to reach the other end of it in spring."],
  [7, "I was shy for an afternoon. It is my stove now."],
];

export const KINDS = [...new Set(PETS.map((pet) => pet.kind))];

export const byId = (id) => PETS.find((pet) => pet.id === Number(id));
