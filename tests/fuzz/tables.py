"""Tables of molecules: TSV, CSV, as R quotes them."""

from fuzz.seeds import MOLECULES
from fuzz.texts import molecules

CSV = '''"","CID","Name","CanonicalSMILES","InChI","Patents"
"1",1983,"a, ""b""","CC(=O)Nc1ccc(O)cc1",NA,12
"2",2519,"caffeine
of two lines","CN1C=NC2=C1C(=O)N(C)C(=O)N2C",,
"3",5793,"glucose",NA,"InChI=1S/CH4/h1H4",3.5
'''
FORMAT = molecules("--count", "Patents", csv=CSV, tsv=MOLECULES)
