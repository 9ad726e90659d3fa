// Portraits, drawn from a pet's kind and colours. SVG out; a dark scheme dims the background by itself.
const eye = (x, y) => `<circle cx="${x}" cy="${y}" r="8" fill="#221d1b"/><circle cx="${x + 2.5}" cy="${y - 2.5}" r="2.5" fill="#fff"/>`;
const eyes = (y, apart) => eye(200 - apart, y) + eye(200 + apart, y);

const HEADS = {
  dog: ({ fur, ear }) => `
    <path d="M104 320c6-72 46-96 96-96s90 24 96 96z" fill="${fur}"/>
    <ellipse cx="200" cy="158" rx="82" ry="80" fill="${fur}"/>
    <ellipse cx="121" cy="158" rx="27" ry="62" transform="rotate(14 121 158)" fill="${ear}"/>
    <ellipse cx="279" cy="158" rx="27" ry="62" transform="rotate(-14 279 158)" fill="${ear}"/>
    <ellipse cx="200" cy="192" rx="46" ry="38" fill="#fff" opacity=".55"/>
    ${eyes(146, 33)}<path d="M184 172h32c4 0 5 5 2 8l-12 12c-3 3-9 3-12 0l-12-12c-3-3-2-8 2-8z" fill="#221d1b"/>
    <path d="M200 194v10m0 0c-6 8-16 8-22 3m22-3c6 8 16 8 22 3" fill="none" stroke="#221d1b" stroke-width="3.5" stroke-linecap="round"/>
    <path d="M190 212h20v10a10 10 0 0 1-20 0z" fill="#e0766c"/>
    <path d="M138 262c38 18 86 18 124 0l4 18c-42 18-90 18-132 0z" fill="#2f6f86"/><circle cx="200" cy="286" r="10" fill="#e8c15a"/>`,
  cat: ({ fur, ear }) => `
    <path d="M118 320c4-62 36-88 82-88s78 26 82 88z" fill="${fur}"/>
    <path d="M126 146 118 64l62 36zM274 146l8-82-62 36z" fill="${fur}"/><path d="M134 122l-6-40 32 20zM266 122l6-40-32 20z" fill="${ear}"/>
    <ellipse cx="200" cy="164" rx="84" ry="74" fill="${fur}"/>
    <path d="M192 94h16l-4 34h-8zM168 98l12 2 4 26-6 0zM232 98l-12 2-4 26 6 0z" fill="${ear}" opacity=".8"/>
    ${eyes(158, 36)}<path d="M190 180h20l-10 11z" fill="#d98b84"/>
    <path d="M200 191v7m0 0c-6 8-15 8-20 3m20-3c6 8 15 8 20 3" fill="none" stroke="#221d1b" stroke-width="3.2" stroke-linecap="round"/>
    <path d="M146 184 92 174m54 20-54 6M254 184l54-10m-54 20 54 6" stroke="#fff" stroke-width="2.5" stroke-linecap="round" opacity=".8"/>`,
  rabbit: ({ fur, ear }) => `
    <path d="M120 320c4-60 36-84 80-84s76 24 80 84z" fill="${fur}"/>
    <ellipse cx="166" cy="72" rx="23" ry="66" transform="rotate(-9 166 72)" fill="${fur}"/><ellipse cx="166" cy="76" rx="11" ry="46" transform="rotate(-9 166 76)" fill="${ear}"/>
    <ellipse cx="236" cy="74" rx="23" ry="64" transform="rotate(13 236 74)" fill="${fur}"/><ellipse cx="236" cy="78" rx="11" ry="44" transform="rotate(13 236 78)" fill="${ear}"/>
    <ellipse cx="200" cy="178" rx="72" ry="68" fill="${fur}"/><ellipse cx="200" cy="206" rx="36" ry="27" fill="#fff" opacity=".6"/>
    ${eyes(168, 35)}<path d="M190 190h20l-10 10z" fill="#d98b84"/>
    <path d="M200 200v8m0 0c-5 7-13 7-17 3m17-3c5 7 13 7 17 3" fill="none" stroke="#221d1b" stroke-width="3" stroke-linecap="round"/>
    <path d="M192 218h8v12h-8zM201 218h8v12h-8z" fill="#fff"/>`,
  hen: ({ fur, ear }) => `
    <path d="M96 320c-6-84 40-132 104-132s110 48 104 132z" fill="${fur}"/>
    <path d="M158 70c0-22 22-26 26-8 4-24 30-24 32 0 6-18 28-10 26 10l-8 34h-68z" fill="#d8402f"/>
    <ellipse cx="200" cy="154" rx="58" ry="66" fill="${fur}"/>
    ${eyes(142, 27)}<path d="M180 160c10-10 30-10 40 0l-20 26z" fill="${ear}"/><path d="M188 184c-6 18 4 30 12 30s18-12 12-30l-12 8z" fill="#d8402f"/>
    <path d="M150 262c16 14 34 14 50 0 16 14 34 14 50 0M168 290c11 10 22 10 32 0 11 10 22 10 32 0" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" opacity=".5"/>`,
  tortoise: ({ fur, ear }) => `
    <path d="M62 268c0-90 58-142 126-142s124 50 124 142z" fill="${ear}"/>
    <path d="M94 258c4-62 44-102 94-102s88 40 92 102z" fill="${fur}" opacity=".55"/>
    <path d="M150 168l38-22 38 22v44l-38 22-38-22zM104 226l34-12m100 0 36 12M188 234v30M150 168l-24-14m100 14 24-14M188 146v-18" fill="none" stroke="${ear}" stroke-width="6"/>
    <path d="M52 266h272c0 16-10 22-26 22H78c-16 0-26-6-26-22z" fill="${fur}"/>
    <path d="M300 262c-2-46 8-92 46-92 26 0 38 22 34 42-4 20-30 20-34 50z" fill="${fur}"/>
    <path d="M92 286h46v22a8 8 0 0 1-8 8h-30a8 8 0 0 1-8-8zM236 286h46v22a8 8 0 0 1-8 8h-30a8 8 0 0 1-8-8z" fill="${fur}"/>
    ${eye(352, 196)}<path d="M358 218c8 2 14 0 20-5" fill="none" stroke="#221d1b" stroke-width="3.5" stroke-linecap="round"/>`,
};

const HUES = { dog: "#cfe3d4", cat: "#f3dcc4", rabbit: "#dfe4cf", hen: "#f4e3c0", tortoise: "#d3e4e0" };

export function draw(pet) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 320" preserveAspectRatio="xMidYMid slice">
<style>.g{fill:${HUES[pet.kind]}}.l{fill:#fff;opacity:.4}@media (prefers-color-scheme:dark){.g{fill:#24382f}.l{opacity:.06}}</style>
<rect class="g" width="400" height="320"/><circle class="l" cx="${80 + ((pet.id * 71) % 240)}" cy="${60 + ((pet.id * 37) % 90)}" r="96"/><circle class="l" cx="${330 - ((pet.id * 53) % 240)}" cy="250" r="130"/>
${HEADS[pet.kind](pet)}
</svg>
`;
}
