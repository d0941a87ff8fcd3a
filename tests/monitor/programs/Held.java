// Obeys "hold MIB" and "drop MIB".
import java.util.*;

public class Held {
    static final List<byte[]> held = new ArrayList<>();
    public static void main(String[] arguments) {
        Scanner words = new Scanner(System.in);
        System.out.println("ready");
        while (words.hasNext()) {
            boolean isHeld = words.next().equals("hold");
            for (int left = words.nextInt() * 1024; left > 0; left--) {
                byte[] block = new byte[1000];
                if (isHeld) held.add(block);
            }
            System.out.println("done");
        }
    }
}
