"""sb-embed-spectra: spectra -> spectrum embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from specbridge_tools.cli.command import closing_line, command
from specbridge_tools.cli.options import (
    allow_empty_option,
    batch_size_option,
    device_option,
    dtype_option,
    encoder_or_model_option,
    output_options,
    record_options,
    threads_option,
)
from specbridge_tools.cli.part_options import is_part, make_plan, part_options, say_done
from specbridge_tools.cli.reading_options import reading_options

if TYPE_CHECKING:
    from specbridge_tools.shards import Shard
    from specbridge_tools.spectra.reading import Reading

EXAMPLE = """
sb-embed-spectra spectra.mgf -o spectra.h5
sb-embed-spectra spectra.mgf --model dreams:embedding_model.ckpt -o dreams.h5
zcat spectra.mgf.gz | sb-embed-spectra - -o - | sb-query - --index index.h5 -o hits.tsv
"""


@command("sb-embed-spectra", example=EXAMPLE)
@click.argument("spectra", metavar="SPECTRA")
@output_options(what="Spectrum embeddings, HDF5")
@encoder_or_model_option
@dtype_option
@reading_options
@batch_size_option
@device_option
@part_options
@record_options
@allow_empty_option
@threads_option
def main(
    spectra: str, output: str, force: bool, model: str | None, dtype: str, reading: Reading, batch_size: int,
    device: str, shard: Shard | None, skip_existing: bool, rejects: str | None, strict: bool, allow_empty: bool,
    threads: int | None, quiet: bool,
) -> None:  # fmt: skip
    """Place spectra in the space of the molecules.

    SPECTRA is a file of any --input-format, plain or gzip, or -. Each vector has unit norm; its inner product with the
    vector of a molecule, made by the model's molecular encoder, is the score of the pair. A record that cannot be used
    keeps its row, with the reason.

    With --model dreams:PATH the vectors are those of the published encoder as they are, in a space of their own: no
    index is searched with them.
    """
    from specbridge_tools.bridge.checkpoint import load_model
    from specbridge_tools.bridge.plain_encoder import PlainEncoder, is_encoder
    from specbridge_tools.embeddings.embed_spectra import embed_spectra
    from specbridge_tools.progress import progress
    from specbridge_tools.records import open_tally
    from specbridge_tools.spectra.reader import count_spectra
    from specbridge_tools.threads import use_threads

    encoder = PlainEncoder(str(model), device=device) if is_encoder(model) else None
    plan = make_plan(
        output,
        source="spectra",
        count=lambda: count_spectra(spectra, reading=reading),
        files=("spectra", "model"),
        digests={} if encoder is None else {"model": encoder.digest},
    )
    if plan.is_done:
        say_done(output, quiet=quiet)
        return
    use_threads(threads)
    allow_empty |= is_part(shard)
    with (
        open_tally("spectra", rejects=rejects, strict=strict, force=force, allow_empty=allow_empty) as tally,
        progress("spectra", quiet=quiet) as display,
    ):
        embed_spectra(
            spectra,
            output,
            model=encoder or load_model(model, device=device),
            tally=tally,
            dtype=dtype,
            reading=reading,
            batch_size=batch_size,
            record_range=plan.record_range,
            part=plan.part,
            force=force,
            display=display,
        )
    closing_line(tally.summary(), quiet=quiet)
