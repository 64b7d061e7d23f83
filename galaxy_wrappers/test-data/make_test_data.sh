#!/usr/bin/env bash
# make_test_data.sh: draw the data of the tool tests from the examples, and make the files of the pipeline from them.
# The toy encoders have no weights: the files stay small, and the tests tell whether tools work, not how well.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "$here"
python3 - "$here/../../examples" <<'P'
import csv
import sys
from pathlib import Path

from rdkit import Chem
from rdkit.Chem.Descriptors import ExactMolWt

examples = Path(sys.argv[1])
records = (examples / "spectra.mgf").read_text().split("\n\n")
fields = [dict(line.split("=", 1) for line in record.splitlines() if "=" in line) for record in records]
truths = list(dict.fromkeys(field["SMILES"] for field in fields))[:24]
train, validation = set(truths[:16]), set(truths[16:])
for name, wanted in (("train.mgf", train), ("spectra.mgf", validation)):
    Path(name).write_text("\n\n".join(r.strip() for r, f in zip(records, fields) if f["SMILES"] in wanted) + "\n")
masses = [ExactMolWt(Chem.MolFromSmiles(smiles)) for smiles in truths]
kept = {smiles: 0 for smiles in truths}
near = {i: 0 for i in range(len(truths))}
rows = []
with open(examples / "molecules.tsv") as stream:
    for row in csv.DictReader(stream, delimiter="\t"):
        mass = ExactMolWt(Chem.MolFromSmiles(row["smiles"]))
        places = [i for i, m in enumerate(masses) if abs(mass - m) < 1e-5 * m and near[i] < 4]
        if row["smiles"] in kept or places:
            rows.append((row["id"], row["smiles"]))
            for i in places:
                near[i] += row["smiles"] not in kept
with open("molecules.tsv", "w") as stream:
    stream.write("id\tsmiles\n" + "".join(f"{key}\t{smiles}\n" for key, smiles in rows))
P
printf 'BEGIN IONS\nTITLE=nothing\nPEPMASS=100\nEND IONS\n' >empty.mgf
sb-embed-mols molecules.tsv --encoder toy -o molecules.h5 --force
sb-finetune train.mgf --validation spectra.mgf --molecules molecules.h5 --spectral-encoder toy --projector-hidden 8 \
    --projector-depth 0 --epochs 2 --seed 0 --threads 1 -o model.safetensors --force
rm -f model.safetensors.checkpoint*
sb-build-index molecules.h5 --model model.safetensors -o index.h5 --force
for half in 1 2; do
    awk -v half=$half 'NR == 1 || NR % 2 == half % 2' molecules.tsv | sb-embed-mols - --encoder toy -o - |
        sb-build-index - --model model.safetensors -o index.$half.h5 --force
done
sb-embed-spectra spectra.mgf --model model.safetensors -o spectra.h5 --force
sb-query spectra.mgf --index index.h5 --model model.safetensors --top 0 -o hits.tsv --force
sb-query empty.mgf --index index.h5 --model model.safetensors | sb-merge - hits.tsv -o hits_of_two.tsv --force
awk -F '\t' 'NR == 1 {print "query_id\tsmiles"} NR > 1 {print $1 "\t" $6}' hits.tsv >candidates.tsv

# two spectra for testing, one for training and one that belongs nowhere, in the layout of MassSpecGym
python3 - <<'P'
import json
from pathlib import Path

columns = "identifier mzs intensities smiles inchikey formula precursor_formula parent_mass precursor_mz adduct".split()
columns += "instrument_type collision_energy fold simulation_challenge".split()
records = Path("spectra.mgf").read_text().split("\n\n")
with open("massspecgym.tsv", "w") as stream:
    print(*columns, sep="\t", file=stream)
    for number, (record, fold) in enumerate(zip(records, ("test", "test", "train", "")), start=1):
        lines = record.splitlines()
        fields = dict(line.split("=", 1) for line in lines if "=" in line)
        peaks = [line.split() for line in lines if line[0].isdigit()]
        values = {name: fields.get(name.upper(), "") for name in columns}
        values |= {"identifier": f"MassSpecGymID{number:07d}", "fold": fold, "precursor_mz": fields["PEPMASS"].split()[0]}
        values |= {"mzs": ",".join(mz for mz, _ in peaks), "intensities": ",".join(height for _, height in peaks)}
        print(*values.values(), sep="\t", file=stream)
hits = [line.split("\t") for line in Path("candidates.tsv").read_text().splitlines()[1:]]
truth = next(line.split("=", 1)[1] for line in records[0].splitlines() if line.startswith("SMILES="))
first = [smiles for query, smiles in hits if query == hits[0][0]]
Path("massspecgym.json").write_text(json.dumps({truth: first, "CCO": ["CCO", "COC"]}, indent=1) + "\n")
P

# the files grow in steps of some 100 kB; without that room they are small
python3 - <<'P'
import os

import h5py

for path in ("molecules.h5", "spectra.h5"):
    with h5py.File(path) as source, h5py.File("small.h5", "w") as small:
        small.attrs.update(source.attrs)
        for name, column in source.items():
            small.create_dataset(name, data=column[:], dtype=column.dtype)
    os.replace("small.h5", path)
P

# for the training of a ranking, which needs a model with a ranker: the one that ships
sb-embed-mols molecules.tsv -o morgan.h5 --force
sb-build-index morgan.h5 -o index_morgan.h5 --force
rm morgan.h5

# a spectrum behind its isotope pattern in MS1, and two of one molecule; lists with counts, and hits that such counts ranked
python3 - <<'P'
from pathlib import Path

records = {r.splitlines()[1].removeprefix("TITLE="): r.strip() for r in Path("spectra.mgf").read_text().split("\n\n")}
chlorinated, first, second = "MSBNK-BAFG-CSL23111014340", "MSBNK-BAFG-CSL231109384", "MSBNK-BAFG-CSL231109393"
pattern = "256.9299 100\n257.9333 4.5\n258.9270 97\n260.9241 32\n"  # three chlorine
with open("isotopes.mgf", "w") as stream:
    print(f"BEGIN IONS\nFEATURE_ID=7\nMSLEVEL=1\nPEPMASS=256.9299\nCHARGE=1+\n{pattern}END IONS\n", file=stream)
    print(records[chlorinated].replace("PEPMASS", "FEATURE_ID=7\nMSLEVEL=2\nPEPMASS", 1), end="\n\n", file=stream)
    print(records[first], records[second], sep="\n\n", file=stream)
lists = [line.split("\t") for line in Path("candidates.tsv").read_text().splitlines()[1:]]
with open("counted.tsv", "w") as stream:
    print("query_id", "smiles", "patents", sep="\t", file=stream)
    print(chlorinated, "CCCCCCCCCCCCCCCCO", 12, sep="\t", file=stream)
    for query, smiles in lists:
        if query in (chlorinated, first, second):
            print(query, smiles, 900 if smiles == "CCCCCC[N+](C)(C)Cc1ccccc1" else "", sep="\t", file=stream)
P
sb-query isotopes.mgf --candidates counted.tsv --model model.safetensors --prior patents --isotopes drop -o hits_with_prior.tsv --force
