"""A Streamlit application of two pages; everything but its first HTML goes over one WebSocket."""

import streamlit as st


def start():
    st.title("Figures")
    number = st.number_input("Number", value=2, step=1)
    if st.button("Square"):
        st.write(f"{number} squared is {number * number}.")
    sent = st.file_uploader("A file")
    if sent is not None:
        st.write(f"{len(sent.getvalue())} bytes, thank you.")


def table():
    st.title("Table")
    st.table([{"n": n, "cube": n**3} for n in range(1, 4)])
    st.download_button("As text", "1, 8, 27", file_name="cubes.txt")


st.navigation([st.Page(start, title="Start", default=True), st.Page(table, title="Table", url_path="table")]).run()
