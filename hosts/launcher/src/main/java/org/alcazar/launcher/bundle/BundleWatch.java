package org.alcazar.launcher.bundle;

import org.alcazar.launcher.framework.BundleFile;
import org.alcazar.launcher.guest.CommandRunner;
import org.alcazar.launcher.guest.CommandRunner.Result;
import org.alcazar.launcher.message.Failure;
import org.alcazar.launcher.message.Messages;
import org.alcazar.launcher.message.Status;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** At each save in a bundle's project: builds it, and swaps it into the running VM. */
public final class BundleWatch {
    /** Tests are the author's to run; the API comes out of the tree's repository, a folder. */
    private static final List<String> BUILD =
            Maven.command(
                    List.of("-o", "-Daether.offline.protocols=file", "package", "-DskipTests"));

    private final Path project;
    private final CommandRunner programs;
    private final Swap swap;
    private final Messages messages;

    /** A watch over a project's folder. */
    public BundleWatch(Path project, CommandRunner programs, Swap swap, Messages messages) {
        this.project = project;
        this.programs = programs;
        this.swap = swap;
        this.messages = messages;
    }

    /**
     * Watches until the thread is interrupted. What goes wrong with a save is said, and the next
     * one waited for.
     *
     * @throws Failure if the folder is none of a project, or cannot be watched
     */
    public void run() throws Failure, InterruptedException {
        if (!Files.isRegularFile(project.resolve("pom.xml"))) {
            throw Failure.usage(
                    project + " is no bundle's project: it has no pom.xml; `bundle new` makes one");
        }
        try (FolderWatch folder = new FolderWatch(project)) {
            messages.say("watching " + project + "; Ctrl-C ends it");
            while (true) {
                folder.awaitSave();
                buildAndSwap();
            }
        } catch (IOException e) {
            throw new Failure(Status.USAGE, project + " cannot be watched: " + e.getMessage(), e);
        }
    }

    private void buildAndSwap() throws InterruptedException, IOException {
        messages.status("building " + project.getFileName());
        Result built = programs.run(project, BUILD);
        messages.clear();
        if (!built.ok()) {
            messages.say("not built:\n" + MavenErrors.of(built.output()));
            return;
        }
        try {
            Path jar = BundleFile.find(project);
            messages.status("swapping " + jar.getFileName());
            String done = swap.swap(jar);
            messages.clear();
            messages.say(jar.getFileName() + " is built\n" + done);
        } catch (Failure e) {
            messages.clear();
            messages.say("built, but not swapped: " + e.getMessage());
        }
    }
}
