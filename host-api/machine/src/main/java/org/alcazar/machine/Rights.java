package org.alcazar.machine;

/** Rights to memory, as a bit mask. */
public final class Rights {
    public static final int READ = 1;
    public static final int WRITE = 2;
    public static final int EXECUTE = 4;
    public static final int ALL = READ | WRITE | EXECUTE;

    private Rights() {}
}
