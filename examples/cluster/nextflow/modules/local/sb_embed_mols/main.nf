// Embeddings of one shard of a table of molecules; shard is text such as 3/8.
process SB_EMBED_MOLS {
    tag "$meta.id"
    label 'process_single'

    conda "${moduleDir}/environment.yml"
    container "specbridge_tools:0.1.0"

    input:
    tuple val(meta), path(molecules), val(shard)

    output:
    tuple val(meta), path("${prefix}.h5"), emit: embeddings
    path "versions.yml", emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    sb-embed-mols ${molecules} \\
        --shard ${shard} \\
        --threads ${task.cpus} \\
        -o ${prefix}.h5 \\
        ${args}

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        specbridge_tools: \$(sb-info --version | sed 's/.* //')
    END_VERSIONS
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    touch ${prefix}.h5

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        specbridge_tools: \$(sb-info --version | sed 's/.* //')
    END_VERSIONS
    """
}
