"""Tables of LaTeX as they are set: merged cells, stacked cells, rules, long tables."""

import pytest

from knowledge.readers.dispatch import load


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        (
            r"\begin{tabular}{@{}l@{\hspace{1em}}rr@{}}\toprule \multirow{2}{*}{Town} & \multicolumn{2}{c}{2025} \\ "
            r"\cmidrule(lr){2-3} & Boats & Fees \\ \midrule Arvik & 7 & 40 \\ \multirow{2}*{Brenn} & 5 & 30 \\ "
            r"& 6 & 31 \\[2pt] \bottomrule\end{tabular}",
            [
                "Town: Arvik; 2025 / Boats: 7; 2025 / Fees: 40",
                "Town: Brenn; 2025 / Boats: 5; 2025 / Fees: 30",
                "Town: Brenn; 2025 / Boats: 6; 2025 / Fees: 31",
            ],
        ),
        (
            r"\begin{tabular}{ll} Name & \makecell{Boats\\in use} \\ \hline A & 7 \\ B & "
            r"\begin{tabular}[c]{@{}l@{}}eight\\ nine\end{tabular} \\ C & 4 \\\end{tabular}",
            ["Name: A; Boats in use: 7", "Name: B; Boats in use: eight nine", "Name: C; Boats in use: 4"],
        ),
        (
            r"\begin{longtable}{lr}\caption{Fees}\\ \hline Town & Fee \\ \hline\endfirsthead "
            r"\multicolumn{2}{c}{(continued)}\\ Town & Fee \\ \endhead \hline \multicolumn{2}{r}{next page}\\ "
            r"\endfoot \hline \endlastfoot Arvik & 40 \\ Brenn & 30 \\* Calda & 20\end{longtable}",
            ["Fees", "Town: Arvik; Fee: 40", "Town: Brenn; Fee: 30", "Town: Calda; Fee: 20"],
        ),
        (
            r"\begin{tabular}{ll}\toprule Model & $R^2$ \\ \midrule A & $0.9\pm0.1$ \\ B & $0.8$ \\\end{tabular}",
            [r"Model: A; $R^2$: $0.9\pm0.1$", "Model: B; $R^2$: $0.8$"],
        ),
        (
            r"\newcommand{\ferry}{the \emph{Lind}}\newcommand\span[2][7]{#1--#2}\def\kind{kiln}"
            r"\ferry{} sails \span{8} or \span[5]{6} to the \kind. \newcommand{\a}{\b\b}\newcommand{\b}{\a\a}",
            ["the Lind sails 7–8 or 5–6 to the kiln."],
        ),
        ("Is \\verb|a_b{50%}| % no \\verb|\nso\\iffalse not \\fi?", ["Is a_b{50%} so?"]),
        ("\\begin{lstlisting}[language=C]\nint a; % kept\n\\end{lstlisting}", ["int a; % kept"]),
        (r"CO\textsubscript{2} at 10 m\textsuperscript{2}", ["CO₂ at 10 m²"]),
    ],
)
def test_a_table_is_read_as_it_is_set(written: str, lines: list[str]) -> None:
    parsed = load(written.encode(), "a.tex")
    assert [line for block in parsed.blocks for line in block.text.split("\n")] == lines
