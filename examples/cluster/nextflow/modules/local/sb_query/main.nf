// Hits of one shard of a file of spectra; shard is text such as 3/8.
process SB_QUERY {
    tag "$meta.id"
    label 'process_single'

    conda "${moduleDir}/environment.yml"
    container "specbridge_tools:0.1.0"

    input:
    tuple val(meta), path(spectra), val(shard)
    path index

    output:
    tuple val(meta), path("${prefix}.tsv"), emit: hits
    path "versions.yml", emit: versions

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    sb-query ${spectra} \\
        --index ${index} \\
        --shard ${shard} \\
        --threads ${task.cpus} \\
        -o ${prefix}.tsv \\
        ${args}

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        specbridge_tools: \$(sb-info --version | sed 's/.* //')
    END_VERSIONS
    """

    stub:
    prefix = task.ext.prefix ?: "${meta.id}"
    """
    touch ${prefix}.tsv

    cat <<-END_VERSIONS > versions.yml
    "${task.process}":
        specbridge_tools: \$(sb-info --version | sed 's/.* //')
    END_VERSIONS
    """
}
