// The archetype's generator knows one template; ours has one per family. All of them have been written: the wanted one
// moves up, its dependencies go into the pom, the common next steps behind its README, and the other families go.
def project = new File(request.outputDirectory, request.artifactId)
def wanted = new File(project, request.properties['family'])

def pom = new File(project, 'pom.xml')
def dependencies = new File(wanted, 'dependencies.xml')
pom.text = pom.text.replace('    <!-- dependencies of the family -->\n', dependencies.text)
dependencies.delete()

def next = new File(project, 'next-steps.md')
new File(wanted, 'README.md') << '\n' << next.text
next.delete()

def families = project.listFiles().findAll { it.directory }
wanted.listFiles().each { it.renameTo(new File(project, it.name == 'src' ? 'src.wanted' : it.name)) }
families.each { it.deleteDir() }
new File(project, 'src.wanted').renameTo(new File(project, 'src'))
