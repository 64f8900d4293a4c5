package org.alcazar.vmm.device;

/** Cells of text with a cursor, for devices with a screen of characters. */
public non-sealed interface ConsoleBackend extends Backend {
    /**
     * Sets a cell.
     *
     * @param attribute as VGA has it: foreground in bits 0-3, background in bits 4-6
     */
    void put(int row, int column, int codePoint, int attribute);

    void cursor(int row, int column);

    void resize(int rows, int columns);
}
